import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openSource } from '../../../src/source/open-source.ts';
import type { SourceImage } from '../../../src/source/source.ts';
import { collect } from '../storage/collect.ts';
import { bucketsOf } from './buckets.ts';

const SCHEMA = 'Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag';
const rowOf = (key: string, rest = '"","true","false","12","2026-01-01T00:00:00.000Z","abc"'): string =>
  `"photos","${key}",${rest}\n`;

interface Part {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly md5?: string;
}
const partOf = (key: string, rows: string): Part => ({ key, bytes: gzipSync(rows) });

async function listInventory(parts: readonly Part[], change: object = {}): Promise<SourceImage[]> {
  const manifest = {
    sourceBucket: 'photos',
    destinationBucket: 'arn:aws:s3:::inventories',
    version: '2016-11-30',
    creationTimestamp: '1767225600000',
    fileFormat: 'CSV',
    fileSchema: SCHEMA,
    files: parts.map(({ key, bytes, md5 }) => ({
      key,
      size: bytes.length,
      MD5checksum: md5 ?? createHash('md5').update(bytes).digest('hex'),
    })),
    ...change,
  };
  const openStorage = bucketsOf([
    ['inventories/photos/daily/2026-01-01T00-00Z/manifest.json', JSON.stringify(manifest)],
    ...parts.map(({ key, bytes }) => [`inventories/${key}`, bytes] as const),
  ]);
  const uri = 's3://inventories/photos/daily/2026-01-01T00-00Z/manifest.json';
  return collect((await openSource(uri, { openStorage })).list());
}

describe('an S3 Inventory', () => {
  it('lists the images of its files, in their order, by their decoded keys', async () => {
    const images = await listInventory([
      partOf(
        'photos/daily/data/2.csv.gz',
        rowOf('z%2F1.jpg') + rowOf('notes.txt') + rowOf('a+b%2Bc%C3%BC.png'),
      ),
      partOf('photos/daily/data/1.csv.gz', rowOf('a.jpg')),
    ]);
    expect(images.map(({ uri }) => uri)).toEqual([
      's3://photos/z/1.jpg',
      's3://photos/a b+cü.png',
      's3://photos/a.jpg',
    ]);
    expect(images[0]).toEqual({
      key: 'photos/z/1.jpg',
      uri: 's3://photos/z/1.jpg',
      sizeBytes: 12,
      etag: 'abc',
    });
  });

  it('passes over delete markers and old versions', async () => {
    const rows =
      rowOf('a.jpg', '"v2","true","true","","2026-01-01T00:00:00.000Z",""') +
      rowOf('b.jpg', '"v1","false","false","12","2026-01-01T00:00:00.000Z","old"') +
      rowOf('b.jpg', '"v2","true","false","13","2026-01-01T00:00:00.000Z","new"');
    expect(await listInventory([partOf('d/1.csv.gz', rows)])).toMatchObject([
      { key: 'photos/b.jpg', etag: 'new' },
    ]);
  });

  it('needs no more columns than bucket and key', async () => {
    const parts = [partOf('d/1.csv.gz', '"photos","a.jpg"\n')];
    expect(await listInventory(parts, { fileSchema: 'Bucket, Key' })).toEqual([
      { key: 'photos/a.jpg', uri: 's3://photos/a.jpg' },
    ]);
  });

  it.each<[string, readonly Part[], object, string]>([
    ['ORC', [], { fileFormat: 'ORC' }, 'the inventory is in "ORC"; have it written as CSV'],
    ['Parquet', [], { fileFormat: 'Parquet' }, 'the inventory is in "Parquet"'],
    [
      'a manifest without its schema',
      [],
      { fileSchema: undefined },
      'is no manifest of an S3 Inventory: "fileSchema"',
    ],
    ['a schema without keys', [], { fileSchema: 'Bucket, Size' }, 'without Bucket or Key'],
    [
      'a file of another MD5',
      [{ ...partOf('d/1.csv.gz', rowOf('a.jpg')), md5: 'a'.repeat(32) }],
      {},
      'd/1.csv.gz: its MD5 is ',
    ],
    [
      'a file that is not gzipped',
      [{ key: 'd/1.csv', bytes: Buffer.from('a') }],
      {},
      'd/1.csv is not gzipped',
    ],
    [
      'half a file',
      [{ key: 'd/1.csv.gz', bytes: gzipSync(rowOf('a.jpg')).subarray(0, 40) }],
      {},
      'd/1.csv.gz is not gzipped',
    ],
    [
      'a row of other columns',
      [partOf('d/1.csv.gz', '"photos","a.jpg"\n')],
      {},
      'd/1.csv.gz line 1: has 2 columns, and "fileSchema" names 8',
    ],
    [
      'a row of another bucket',
      [partOf('d/1.csv.gz', rowOf('a.jpg').replace('photos', 'secret'))],
      {},
      'd/1.csv.gz line 1: is of the bucket "secret"',
    ],
    [
      'a key that is not encoded',
      [partOf('d/1.csv.gz', rowOf('%ff.jpg'))],
      {},
      'd/1.csv.gz line 1: the key "%ff.jpg" is not URL-encoded',
    ],
    ['a key with a backslash', [partOf('d/1.csv.gz', rowOf('a%5Ca.jpg'))], {}, 'd/1.csv.gz line 1: '],
    [
      'a repeated key',
      [partOf('d/1.csv.gz', rowOf('a.jpg')), partOf('d/2.csv.gz', rowOf('a.jpg'))],
      {},
      'd/2.csv.gz line 1: the image "photos/a.jpg" is there already: s3://inventories/d/1.csv.gz line 1',
    ],
  ])('refuses %s', async (_, parts, change, problem) => {
    await expect(listInventory(parts, change)).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      message: expect.stringContaining(problem),
    });
  });
});
