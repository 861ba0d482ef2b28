import { openMemoryStorage } from '../../../src/storage/memory.ts';
import type { Storage } from '../../../src/storage/storage.ts';

/** Opens `s3://bucket/prefix/` of buckets that hold these objects, given as `bucket/key` and content. */
export function bucketsOf(
  objects: readonly (readonly [name: string, content: string | Uint8Array])[],
): (uri: string) => Promise<Storage> {
  return async (uri) => {
    const storage = openMemoryStorage();
    const start = uri.replace('s3://', '');
    for (const [name, content] of objects)
      if (name.startsWith(start)) await storage.put(name.slice(start.length), Buffer.from(content));
    return { ...storage, uri };
  };
}
