import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { Storage } from '../storage/storage.ts';

const CHUNK_CHARACTERS = 256 * 1024;

/** Writes one object piece by piece, where `Storage.put` would ask for the pieces. */
export interface ObjectWriter {
  /** Resolves when there is room for more; rejects with the storage's error. */
  readonly write: (text: string) => Promise<void>;
  /** Makes the object appear, whole. */
  readonly end: () => Promise<void>;
  /** Leaves the storage as it was; nothing to do after `end`. */
  readonly abort: (reason: Error) => Promise<void>;
}

export function openObjectWriter(storage: Storage, key: string): ObjectWriter {
  const stream = new PassThrough();
  const stored = storage.put(key, stream);
  // Failures are told by `stored`, and that by the next `write` or by `end`.
  stored.catch(() => undefined);
  stream.on('error', () => undefined);
  let pending = '';

  const flush = async (): Promise<void> => {
    const chunk = Buffer.from(pending);
    pending = '';
    if (!stream.write(chunk)) await Promise.race([once(stream, 'drain'), stored]);
  };

  return {
    async write(text) {
      pending += text;
      if (pending.length >= CHUNK_CHARACTERS) await flush();
    },
    async end() {
      stream.end(pending);
      await stored;
    },
    async abort(reason) {
      stream.destroy(reason);
      await stored.catch(() => undefined);
    },
  };
}
