import { afterAll, beforeAll, expect, it } from 'vitest';
import { compareKeys } from '../../src/storage/keys.ts';
import { openStorage } from '../../src/storage/open.ts';
import { startMoto } from '../services/moto.ts';
import type { S3Server } from '../services/s3-server.ts';
import { collect } from '../unit/storage/collect.ts';

/** Python packages are fetched, where the machine has none. */
const INSTALL_TIMEOUT_MS = 900_000;

/** Keys that S3 keeps apart and a server on a file system does not. */
const KEYS = [
  'up.jpg',
  'dir/../up.jpg',
  '../up.jpg',
  './up.jpg',
  'x/y.jpg',
  'x//y.jpg',
  '/x/y.jpg',
  'x/y.jpg/',
  'x/y.jpg/below.jpg',
  '.',
  '..',
  '/',
  '//',
  'tab\there.jpg',
  'with  two spaces and + and %2B and %.jpg',
  'ü composed.jpg',
  'u\u0308 decomposed.jpg',
  '😀.jpg',
  'private use \uE000, beyond \u{10FFFF}.jpg',
  '<xml>&amp;"quotes".jpg',
  'back\\slash?query#fragment.jpg',
  'no slash, long '.padEnd(1024, 'x'),
];

let server: S3Server;

beforeAll(async () => {
  server = await startMoto();
  Object.assign(process.env, server.environment);
}, INSTALL_TIMEOUT_MS);

afterAll(() => server.stop());

it('keeps every key as it is, and all of them apart', async () => {
  await server.createBucket('keys');
  const storage = await openStorage('s3://keys');
  for (const key of KEYS)
    expect(await storage.createIfAbsent(key, Buffer.from(`content of ${key}`))).toBe(true);
  for (const key of KEYS) expect(await storage.createIfAbsent(key, Buffer.from('other'))).toBe(false);
  for (const key of KEYS) {
    const content = `content of ${key}`;
    expect(Buffer.from(await storage.get(key)).toString()).toBe(content);
    expect(Buffer.concat(await collect(await storage.stream(key))).toString()).toBe(content);
    expect(await storage.stat(key)).toMatchObject({ key, sizeBytes: Buffer.byteLength(content) });
  }
  const listed = await collect(storage.list(''));
  expect(listed.map(({ key }) => key)).toEqual(KEYS.toSorted(compareKeys));
  expect(listed).toEqual(await Promise.all(listed.map(({ key }) => storage.stat(key))));
});

it('keeps a prefix as it is', async () => {
  await server.createBucket('prefixes');
  for (const prefix of ['a b+ü%20/', '/', 'x//', '../']) {
    const storage = await openStorage(`s3://prefixes/${prefix}`);
    await storage.put('../k', Buffer.from(prefix));
    expect((await collect(storage.list(''))).map(({ key }) => key)).toEqual(['../k']);
    expect(Buffer.from(await storage.get('../k')).toString()).toBe(prefix);
  }
});

it('lists the objects that only show that a folder is there, but not that of its own', async () => {
  await server.createBucket('folders');
  const keys = ['a/', 'a/1', 'b/', 'b-1', 'c/', 'c/1', 'c/d/', 'c/d/1', 'e/'];
  for (const key of keys) await (await openStorage('s3://folders')).put(key, Buffer.alloc(0));
  const list = async (uri: string): Promise<string[]> =>
    (await collect((await openStorage(uri)).list(''))).map(({ key }) => key);
  expect(await list('s3://folders')).toEqual(keys.toSorted(compareKeys));
  expect(await list('s3://folders/c/')).toEqual(['1', 'd/', 'd/1']);
  expect(await list('s3://folders/e/')).toEqual([]);
});
