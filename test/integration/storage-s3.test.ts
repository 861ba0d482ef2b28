import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { CreateMultipartUploadCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { compareKeys } from '../../src/storage/keys.ts';
import { openStorage } from '../../src/storage/open.ts';
import { createS3Client } from '../../src/storage/s3-client.ts';
import { abortStaleUploads } from '../../src/storage/s3-multipart.ts';
import type { Storage } from '../../src/storage/storage.ts';
import type { S3Server } from '../services/s3-server.ts';
import { startVersityGateway } from '../services/versitygw.ts';
import { collect } from '../unit/storage/collect.ts';
import { describeStorage } from './storage-conformance.ts';

/** Go builds the server, where the machine has none. */
const INSTALL_TIMEOUT_MS = 900_000;
const DAY_MS = 24 * 60 * 60 * 1000;

let server: S3Server;
let buckets = 0;

beforeAll(async () => {
  server = await startVersityGateway();
  Object.assign(process.env, server.environment);
}, INSTALL_TIMEOUT_MS);

afterAll(() => server.stop());

async function newBucket(): Promise<string> {
  const bucket = `bucket-${++buckets}`;
  await server.createBucket(bucket);
  return bucket;
}

const open = async (): Promise<Storage> => openStorage(`s3://${await newBucket()}`);

const keysOf = async (storage: Storage, prefix = ''): Promise<string[]> =>
  (await collect(storage.list(prefix))).map(({ key }) => key);

async function putAll(storage: Storage, keys: readonly string[]): Promise<void> {
  for (let start = 0; start < keys.length; start += 50)
    await Promise.all(keys.slice(start, start + 50).map((key) => storage.put(key, Buffer.from('x'))));
}

describeStorage('S3, versitygw', { open, invalidKeys: ['', 'a\0b', '\uD83D', 'x'.repeat(1025)] });

describe('S3 storage: prefixes', () => {
  it('takes a prefix for a folder, with or without "/" at its end', async () => {
    const bucket = await newBucket();
    await putAll(await openStorage(`s3://${bucket}`), ['photos/a', 'photos/b/c', 'photos-old/a']);
    for (const uri of [`s3://${bucket}/photos`, `s3://${bucket}/photos/`]) {
      const storage = await openStorage(uri);
      expect(storage.uri).toBe(`s3://${bucket}/photos/`);
      expect(await keysOf(storage)).toEqual(['a', 'b/c']);
      expect(await keysOf(storage, 'b')).toEqual(['b/c']);
      expect((await storage.stat('b/c'))?.key).toBe('b/c');
    }
  });

  it('counts the prefix to the length of the key', async () => {
    const storage = await openStorage(`s3://${await newBucket()}/${'p'.repeat(200)}/`);
    const key = ['x'.repeat(200), 'y'.repeat(200), 'z'.repeat(200), 'w'.repeat(220)].join('/');
    await storage.put(key, Buffer.from('1'));
    await expect(storage.put(`${key}x`, Buffer.from('1'))).rejects.toMatchObject({
      code: 'KEY_INVALID',
      message: expect.stringContaining('1025 bytes'),
    });
    expect(await keysOf(storage)).toEqual([key]);
  });
});

describe('S3 storage: listing', () => {
  it('lists more folders than one answer holds, and what is between them', async () => {
    const storage = await open();
    const keys = Array.from({ length: 1_150 }, (_, n) => [
      `f${n}/x`,
      ...(n % 100 === 0 ? [`f${n}-x`, `f${n}/y/z`] : []),
    ]);
    await putAll(storage, keys.flat());
    expect(await keysOf(storage)).toEqual(keys.flat().toSorted(compareKeys));
  });

  it('looks for the folders below folders that hold nothing else', async () => {
    const storage = await open();
    const keys = Array.from({ length: 300 }, (_, n) => `a/b/c/${n % 7}/${n}`);
    await putAll(storage, keys);
    expect(await keysOf(storage)).toEqual(keys.toSorted(compareKeys));
    expect(await keysOf(storage, 'a/b/c/3/')).toEqual(
      keys.filter((key) => key.startsWith('a/b/c/3/')).toSorted(compareKeys),
    );
  });

  it('can be left early', async () => {
    const storage = await open();
    await putAll(storage, ['a/1', 'a/2', 'b/1', 'c/1']);
    for await (const { key } of storage.list('')) {
      expect(key).toBe('a/1');
      break;
    }
  });
});

describe('S3 storage: writing', () => {
  it('lets exactly one of 8 processes create each of 20 keys; each ends by itself', async () => {
    const uri = `s3://${await newBucket()}/run/`;
    const writers = Array.from({ length: 8 }, (_, name) =>
      fork(fileURLToPath(new URL('storage-s3-writer.mjs', import.meta.url)), [uri, String(name)], {
        execArgv: ['--no-warnings'],
      }),
    );
    const exits = writers.map((writer) => once(writer, 'exit'));
    await Promise.all(writers.map((writer) => once(writer, 'message')));
    const reports = writers.map((writer) => once(writer, 'message'));
    for (const writer of writers) writer.send('go');
    const winners = (await Promise.all(reports)).map(
      ([report]) => z.object({ won: z.array(z.int()) }).parse(report).won,
    );
    expect(winners.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, key) => key));
    const storage = await openStorage(uri);
    for (const [name, won] of winners.entries())
      for (const key of won)
        expect(Buffer.from(await storage.get(`locks/${key}`)).toString()).toBe(String(name));
    expect((await Promise.all(exits)).map(([code]) => code)).toEqual(writers.map(() => 0));
  });

  it('leaves nothing of a large body that throws', async () => {
    const bucket = await newBucket();
    const storage = await openStorage(`s3://${bucket}`);
    const failing = async function* (): AsyncGenerator<Uint8Array> {
      for (let n = 0; n < 21; n++) yield Buffer.alloc(1024 * 1024, n);
      throw new Error('the source broke');
    };
    await expect(storage.put('a', failing())).rejects.toThrow('the source broke');
    expect(await keysOf(storage)).toEqual([]);
    const uploads = await createS3Client(process.env).send(
      new ListMultipartUploadsCommand({ Bucket: bucket }),
    );
    expect(uploads.Uploads ?? []).toEqual([]);
  });

  it('aborts the uploads of its prefix that are older than a day', async () => {
    const bucket = await newBucket();
    const client = createS3Client(process.env);
    for (const Key of ['run/a', 'run/b ü', 'other/a'])
      await client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key }));
    const storage = await openStorage(`s3://${bucket}/run/`);
    expect(await storage.removeUnfinishedWrites()).toBe(0);
    const place = { client, bucket, prefix: 'run/' };
    expect(await abortStaleUploads(place, Date.now() + DAY_MS - 60_000)).toBe(0);
    expect(await abortStaleUploads(place, Date.now() + DAY_MS + 60_000)).toBe(2);
    const { Uploads } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    expect(Uploads?.map(({ Key }) => Key)).toEqual(['other/a']);
  });
});
