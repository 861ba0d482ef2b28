import { objectUri, printable, splitObject } from '../place.ts';
import type { Storage } from '../../storage/storage.ts';
import type { StorageLocation } from '../../storage/uri.ts';

/** Opens storages, and lets nothing pass that is not allowed. */
export interface Reader {
  open(storageUri: string): Promise<Storage>;
  assertAllowed(location: StorageLocation, what: string): Promise<void>;
}

/** A file that a list is read from: the list itself, or a part of an inventory. */
export interface ListFile {
  /** Its URI, for messages. */
  readonly name: string;
  /** Its folder's or bucket's storage, and its key there. */
  open(): Promise<{ readonly storage: Storage; readonly key: string }>;
  /** Its bytes as they come. @throws MillraceError URI_NOT_ALLOWED, and storage's own. */
  stream(): AsyncIterable<Uint8Array>;
}

export function listFile(location: StorageLocation, reader: Reader): ListFile {
  const name = printable(objectUri(location));
  const open: ListFile['open'] = async () => {
    await reader.assertAllowed(location, name);
    const { storage, key } = splitObject(location);
    return { storage: await reader.open(storage), key };
  };
  return {
    name,
    open,
    async *stream() {
      const { storage, key } = await open();
      yield* toBytes(await storage.stream(key));
    },
  };
}

async function* toBytes(chunks: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError('a stream of a storage gives bytes');
    yield chunk;
  }
}
