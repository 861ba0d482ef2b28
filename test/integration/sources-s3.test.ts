import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planRun, readShard } from '../../src/plan/plan-run.ts';
import type { PlannedImage } from '../../src/run/documents.ts';
import { openSource } from '../../src/source/open-source.ts';
import type { Source } from '../../src/source/source.ts';
import { openMemoryStorage } from '../../src/storage/memory.ts';
import { openStorage } from '../../src/storage/open.ts';
import type { Storage } from '../../src/storage/storage.ts';
import type { S3Server } from '../services/s3-server.ts';
import { startVersityGateway } from '../services/versitygw.ts';

/** Go builds the server, where the machine has none. */
const INSTALL_TIMEOUT_MS = 900_000;

let server: S3Server;
let photos: Storage;
let lists: Storage;

beforeAll(async () => {
  server = await startVersityGateway();
  Object.assign(process.env, server.environment);
  await server.createBucket('photos');
  await server.createBucket('lists');
  photos = await openStorage('s3://photos');
  lists = await openStorage('s3://lists');
  for (const key of [
    '2026/cam-1/1.jpg',
    '2026/cam-1/a.jpg',
    '2026/cam 2/ü+.jpg',
    '2026/notes.txt',
    '2025/1.jpg',
  ])
    await photos.put(key, Buffer.from(key));
}, INSTALL_TIMEOUT_MS);

afterAll(() => server.stop());

/** What a worker gets: planned, written, read again. */
async function planOf(source: Source): Promise<PlannedImage[]> {
  const output = openMemoryStorage();
  return readShard(output, await planRun(output, source.list(), 256, 1), 0);
}

async function contentsOf(uri: string): Promise<string[]> {
  const planned = await planOf(await openSource(uri));
  // A worker opens the source by its canonical URI.
  const source = await openSource((await openSource(uri)).uri, {
    allowedUris: ['s3://photos/2026', 's3://lists'],
  });
  const contents = [];
  for (const image of planned)
    contents.push(Buffer.from(await source.get(image, { maxBytes: 100 })).toString());
  return contents;
}

describe('a source in a bucket', () => {
  it('is a prefix', async () => {
    expect(await contentsOf('s3://photos/2026')).toEqual([
      '2026/cam 2/ü+.jpg',
      '2026/cam-1/1.jpg',
      '2026/cam-1/a.jpg',
    ]);
  });

  it('is a glob', async () => {
    expect(await contentsOf('s3://photos/2026/**/[0-9]*.jpg')).toEqual(['2026/cam-1/1.jpg']);
  });

  it('is a list, whose entries are elsewhere', async () => {
    await lists.put('a.txt', Buffer.from('s3://photos/2026/cam 2/ü+.jpg\ncam-1/a.jpg\n'));
    expect(await contentsOf('s3://lists/a.txt?root=s3://photos/2026/')).toEqual([
      '2026/cam 2/ü+.jpg',
      '2026/cam-1/a.jpg',
    ]);
  });

  it('is an inventory', async () => {
    const rows = [];
    for await (const { key, sizeBytes, etag } of photos.list('2026/'))
      rows.push(`"photos","${encodeURIComponent(key).replaceAll('%20', '+')}","${sizeBytes}","${etag}"\n`);
    const bytes = gzipSync(rows.join(''));
    const MD5checksum = createHash('md5').update(bytes).digest('hex');
    await lists.put('photos/daily/data/1.csv.gz', bytes);
    const manifest = {
      sourceBucket: 'photos',
      destinationBucket: 'arn:aws:s3:::lists',
      fileFormat: 'CSV',
      fileSchema: 'Bucket, Key, Size, ETag',
      files: [{ key: 'photos/daily/data/1.csv.gz', size: bytes.length, MD5checksum }],
    };
    await lists.put('photos/daily/2026-01-01T00-00Z/manifest.json', Buffer.from(JSON.stringify(manifest)));
    expect(await contentsOf('s3://lists/photos/daily/2026-01-01T00-00Z/manifest.json')).toEqual([
      '2026/cam 2/ü+.jpg',
      '2026/cam-1/1.jpg',
      '2026/cam-1/a.jpg',
    ]);
  });

  it('notices that an image has changed since it was planned', async () => {
    await photos.put('changing/1.jpg', Buffer.from('one'));
    const source = await openSource('s3://photos/changing/');
    const [image] = await planOf(source);
    await photos.put('changing/1.jpg', Buffer.from('two'));
    await expect(source.get(image!, { maxBytes: 100 })).rejects.toMatchObject({ code: 'OBJECT_CHANGED' });
  });

  it('is not read outside what is allowed', async () => {
    await lists.put('b.txt', Buffer.from('s3://photos/2025/1.jpg\n'));
    const source = await openSource('s3://lists/b.txt', { allowedUris: ['s3://photos/2026', 's3://lists'] });
    await expect(planOf(source)).rejects.toMatchObject({
      code: 'URI_NOT_ALLOWED',
      message: expect.stringContaining('s3://lists/b.txt line 1: s3://photos/2025/1.jpg'),
    });
  });
});
