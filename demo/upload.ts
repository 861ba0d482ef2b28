import { mapOrdered } from '../src/runtime/map-ordered.ts';
import { openStorage } from '../src/storage/open.ts';

const CONCURRENCY = 8;

/** Copies every file of a folder to a storage URI, under the same names. Returns how many there were. */
export async function uploadFolder(folder: string, uri: string): Promise<number> {
  const [from, to] = [await openStorage(folder), await openStorage(uri)];
  let files = 0;
  const copied = mapOrdered(from.list(''), CONCURRENCY, async ({ key }) => to.put(key, await from.get(key)));
  for await (const _ of copied) files += 1;
  return files;
}
