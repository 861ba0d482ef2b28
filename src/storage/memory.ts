import { Readable } from 'node:stream';
import { MillraceError } from '../runtime/errors.ts';
import { assertKey, compareKeys, splitPrefix } from './keys.ts';
import type { Storage, StoredObject } from './storage.ts';

interface Entry {
  readonly bytes: Uint8Array;
  readonly etag: string;
}

/** A storage that lives as long as the process. Accepts the keys that the file driver accepts. */
export function openMemoryStorage(): Storage {
  const entries = new Map<string, Entry>();
  let version = 0;

  const write = (key: string, bytes: Uint8Array): void => {
    version += 1;
    entries.set(key, { bytes, etag: `v${version}` });
  };
  const describe = (key: string, entry: Entry): StoredObject => ({
    key,
    sizeBytes: entry.bytes.length,
    etag: entry.etag,
  });
  const read = (key: string): Entry => {
    assertKey(key);
    const entry = entries.get(key);
    if (entry === undefined) throw new MillraceError('OBJECT_NOT_FOUND', `There is no object "${key}".`);
    return entry;
  };

  return {
    uri: 'memory://',

    async *list(prefix) {
      splitPrefix(prefix);
      const keys = [...entries.keys()].filter((key) => key.startsWith(prefix)).sort(compareKeys);
      for (const key of keys) {
        const entry = entries.get(key);
        if (entry !== undefined) yield describe(key, entry);
      }
    },

    async stat(key) {
      assertKey(key);
      const entry = entries.get(key);
      return entry && describe(key, entry);
    },

    async get(key, { maxBytes = Infinity, ifMatch } = {}) {
      const { bytes, etag } = read(key);
      if (ifMatch !== undefined && ifMatch !== etag)
        throw new MillraceError('OBJECT_CHANGED', `The object "${key}" is ${etag}, expected ${ifMatch}.`);
      if (bytes.length > maxBytes)
        throw new MillraceError(
          'OBJECT_TOO_LARGE',
          `The object "${key}" has ${bytes.length} bytes; at most ${maxBytes} are allowed.`,
        );
      return copyOf(bytes);
    },

    async stream(key) {
      return Readable.from([Buffer.from(read(key).bytes)], { objectMode: false });
    },

    async put(key, body) {
      assertKey(key);
      write(key, await collect(body));
    },

    async createIfAbsent(key, body) {
      assertKey(key);
      if (entries.has(key)) return false;
      write(key, copyOf(body));
      return true;
    },

    async removeUnfinishedWrites() {
      return 0;
    },
  };
}

/** Not `slice`: that of a `Buffer` shares the memory. */
const copyOf = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes);

async function collect(body: Uint8Array | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  if (body instanceof Uint8Array) return copyOf(body);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(copyOf(chunk));
  return Buffer.concat(chunks);
}
