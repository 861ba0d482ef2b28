import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { compareKeys } from '../../src/storage/keys.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { collect } from '../unit/storage/collect.ts';

export interface ConformanceOptions {
  /** A new and empty storage. */
  readonly open: () => Promise<Storage>;
  /** Keys that this driver must refuse. */
  readonly invalidKeys: readonly string[];
}

const MiB = 1024 * 1024;

const UNUSUAL_KEYS = [
  'plain.txt',
  'with space/and  two.txt',
  'umlaut composed/ü.txt',
  'umlaut decomposed/u\u0308.txt',
  'plus+and&and=and?and#.txt',
  'emoji/😀.txt',
  'tab\there.txt',
  'new\nline.txt',
  'percent%20not-decoded%2F.txt',
  'back\\slash.txt',
  '"quotes" and \'quotes\'.txt',
  '-starts-with-dash',
  '.hidden/..still hidden',
  'trailing space ',
  'private use \uE000, beyond \u{10FFFF}',
  [1, 2, 3, 4].map((n) => String(n).repeat(255)).join('/'),
];

const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (content: Uint8Array): string => Buffer.from(content).toString();

/** What every driver of `Storage` must do. */
export function describeStorage(name: string, { open, invalidKeys }: ConformanceOptions): void {
  describe(`storage: ${name}`, () => {
    it.each(UNUSUAL_KEYS)('keeps the key %j as it is', async (key) => {
      const storage = await open();
      await storage.put(key, bytes(`content of ${key}`));
      expect(text(await storage.get(key))).toBe(`content of ${key}`);
      const stat = await storage.stat(key);
      expect(stat).toMatchObject({ key, sizeBytes: Buffer.byteLength(`content of ${key}`) });
      expect(await collect(storage.list(''))).toEqual([stat]);
    });

    it('keeps keys apart that only look alike', async () => {
      const storage = await open();
      for (const key of UNUSUAL_KEYS) await storage.put(key, bytes(key));
      const keys = (await collect(storage.list(''))).map((object) => object.key);
      expect(keys).toEqual(UNUSUAL_KEYS.toSorted(compareKeys));
      for (const key of keys) expect(text(await storage.get(key))).toBe(key);
    });

    it.each(invalidKeys.map((key) => [key.slice(0, 40), key]))('refuses the key %j', async (_, key) => {
      const storage = await open();
      const refused = expect.objectContaining({ code: 'KEY_INVALID' });
      await expect(storage.put(key, bytes('x'))).rejects.toEqual(refused);
      await expect(storage.createIfAbsent(key, bytes('x'))).rejects.toEqual(refused);
      await expect(storage.get(key)).rejects.toEqual(refused);
      await expect(storage.stream(key)).rejects.toEqual(refused);
      await expect(storage.stat(key)).rejects.toEqual(refused);
      expect(await collect(storage.list(''))).toEqual([]);
    });

    it('lists 10,000 keys, all and in the order of their bytes', async () => {
      const storage = await open();
      const keys = Array.from({ length: 10_000 }, (_, index) => {
        const folders = ['', 'a/', 'a-b/', 'a.b/c/', 'ä/', '\uFFFD/', '😀/'];
        return `${folders[index % folders.length]}${(index * 7919) % 10_007}`;
      });
      for (let start = 0; start < keys.length; start += 100)
        await Promise.all(
          keys.slice(start, start + 100).map((key) => storage.createIfAbsent(key, bytes(key))),
        );
      const listed = await collect(storage.list(''));
      expect(listed.map((object) => object.key)).toEqual(keys.toSorted(compareKeys));
      expect(listed.every((object) => object.sizeBytes === Buffer.byteLength(object.key))).toBe(true);
    });

    it('lists below a prefix, whole segment or not', async () => {
      const storage = await open();
      for (const key of ['a', 'a/b', 'a/bc/d', 'a/bd', 'ab/c', 'b'])
        await storage.put(key.replace(/^a$/, 'a.'), bytes(''));
      const list = async (prefix: string): Promise<string[]> =>
        (await collect(storage.list(prefix))).map((object) => object.key);
      expect(await list('a')).toEqual(['a.', 'a/b', 'a/bc/d', 'a/bd', 'ab/c']);
      expect(await list('a/')).toEqual(['a/b', 'a/bc/d', 'a/bd']);
      expect(await list('a/bc')).toEqual(['a/bc/d']);
      expect(await list('a/b/')).toEqual([]);
      expect(await list('x/y/')).toEqual([]);
    });

    it('gives an object that changes another etag, in every answer', async () => {
      const storage = await open();
      await storage.put('a', bytes('one'));
      const first = await storage.stat('a');
      await storage.put('a', bytes('three'));
      const second = await storage.stat('a');
      expect(second?.etag).not.toBe(first?.etag);
      expect(await collect(storage.list(''))).toEqual([second]);
      expect(text(await storage.get('a', { ifMatch: second!.etag }))).toBe('three');
      await expect(storage.get('a', { ifMatch: first!.etag })).rejects.toMatchObject({
        code: 'OBJECT_CHANGED',
      });
    });

    it('refuses to read more than it may', async () => {
      const storage = await open();
      await storage.put('a', bytes('12345'));
      expect(text(await storage.get('a', { maxBytes: 5 }))).toBe('12345');
      await expect(storage.get('a', { maxBytes: 4 })).rejects.toMatchObject({ code: 'OBJECT_TOO_LARGE' });
    });

    it('says of what is missing that it is', async () => {
      const storage = await open();
      await storage.put('folder/file', bytes('x'));
      for (const key of ['nothing', 'folder', 'folder/file/below', 'no/such/folder']) {
        expect(await storage.stat(key)).toBeUndefined();
        await expect(storage.get(key)).rejects.toMatchObject({ code: 'OBJECT_NOT_FOUND' });
        await expect(storage.stream(key)).rejects.toMatchObject({ code: 'OBJECT_NOT_FOUND' });
      }
    });

    it('keeps empty objects', async () => {
      const storage = await open();
      await storage.put('a', bytes(''));
      await storage.put('b', (async function* () {})());
      expect(await storage.createIfAbsent('c', bytes(''))).toBe(true);
      for (const key of ['a', 'b', 'c']) expect(await storage.get(key)).toHaveLength(0);
      expect(await collect(await storage.stream('a'))).toEqual([]);
    });

    it('is not touched by what happens to the buffers that it was given or gave', async () => {
      const storage = await open();
      const body = Buffer.from('one');
      await storage.put('a', body);
      body.fill('x');
      (await storage.get('a')).fill(0);
      expect(text(await storage.get('a'))).toBe('one');
    });

    it('lets exactly one of 8 writers create each of 20 keys', async () => {
      const storage = await open();
      const writers = Array.from({ length: 8 }, async (_, writer) => {
        const won: string[] = [];
        for (let key = 0; key < 20; key++)
          if (await storage.createIfAbsent(`locks/${key}`, bytes(`writer ${writer}`)))
            won.push(`${key}:${writer}`);
        return won;
      });
      const won = (await Promise.all(writers)).flat();
      expect(won.map((entry) => Number(entry.split(':')[0])).toSorted((a, b) => a - b)).toEqual(
        Array.from({ length: 20 }, (_, key) => key),
      );
      for (const entry of won) {
        const [key, writer] = entry.split(':');
        expect(text(await storage.get(`locks/${key}`))).toBe(`writer ${writer}`);
      }
    });

    it('does not let createIfAbsent replace what was put', async () => {
      const storage = await open();
      await storage.put('a', bytes('put'));
      expect(await storage.createIfAbsent('a', bytes('created'))).toBe(false);
      expect(text(await storage.get('a'))).toBe('put');
    });

    it('never shows half a write', async () => {
      const storage = await open();
      const versions = [Buffer.alloc(MiB, 'a'), Buffer.alloc(2 * MiB, 'b')] as const;
      await storage.put('a', versions[0]);
      const writing = new AbortController();
      const write = async (): Promise<void> => {
        for (let round = 0; round < 40; round++) await storage.put('a', versions[round % 2 === 0 ? 1 : 0]);
        writing.abort();
      };
      const read = async (): Promise<number> => {
        let reads = 0;
        for (; !writing.signal.aborted; reads++) {
          const content = Buffer.from(await storage.get('a'));
          expect(versions.some((version) => version.equals(content))).toBe(true);
        }
        return reads;
      };
      const [reads] = await Promise.all([read(), write()]);
      expect(reads).toBeGreaterThan(0);
    });

    it('streams a large object in and out', async () => {
      const storage = await open();
      const written = createHash('sha256');
      const body = async function* (): AsyncGenerator<Uint8Array> {
        for (let n = 0; n < 64; n++) {
          const chunk = Buffer.alloc(MiB / 2 + n, n);
          written.update(chunk);
          yield chunk;
        }
      };
      await storage.put('large', body());
      const read = createHash('sha256');
      let sizeBytes = 0;
      for await (const chunk of await storage.stream('large')) {
        read.update(chunk);
        sizeBytes += chunk.length;
      }
      expect(sizeBytes).toBe(32 * MiB + (63 * 64) / 2);
      expect(read.digest('hex')).toBe(written.digest('hex'));
    });

    it('lets a stream be left before its end', async () => {
      const storage = await open();
      await storage.put('large', Buffer.alloc(4 * MiB));
      for await (const chunk of await storage.stream('large')) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
      const unread = await storage.stream('large');
      unread.destroy();
      expect(unread.destroyed).toBe(true);
    });

    it('keeps the old content when the new one fails half-way', async () => {
      const storage = await open();
      await storage.put('a', bytes('old'));
      const failing = async function* (): AsyncGenerator<Uint8Array> {
        yield bytes('half of the new');
        throw new Error('the source broke');
      };
      await expect(storage.put('a', failing())).rejects.toThrow('the source broke');
      await expect(storage.put('b', failing())).rejects.toThrow('the source broke');
      expect(text(await storage.get('a'))).toBe('old');
      expect((await collect(storage.list(''))).map((object) => object.key)).toEqual(['a']);
      expect(await storage.removeUnfinishedWrites()).toBe(0);
    });
  });
}
