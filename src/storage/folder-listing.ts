import type { BigIntStats, Dirent } from 'node:fs';
import { lstat, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MillraceError, systemCode } from '../runtime/errors.ts';
import { mapOrdered } from '../runtime/map-ordered.ts';
import { compareKeys } from './keys.ts';
import type { StoredObject } from './storage.ts';
import { fromSystemError } from './system-error.ts';

/** File names are looked up this many at once: enough to hide the latency of a network file system. */
const STAT_CONCURRENCY = 32;

/** Stands in file names for bytes that are no UTF-8. */
const REPLACEMENT_CHARACTER = '\uFFFD';

interface Folder {
  readonly path: string;
  /** What the keys of everything in it start with: empty, or ending in `/`. */
  readonly keyPrefix: string;
  /** Device and inode of the folders above, so that a symbolic link back to one of them is not followed. */
  readonly ancestors: readonly string[];
}

interface Entry {
  readonly name: string;
  readonly path: string;
  readonly isFolder: boolean;
}

/** Changes with the content on every file system that keeps modification times; equal in a copy that keeps them. */
export const etagOf = (stats: BigIntStats): string =>
  `${stats.size.toString(16)}-${stats.mtimeNs.toString(16)}`;

/**
 * The files in a folder and below, ordered by the UTF-8 bytes of the whole key: a folder sorts as its name with a `/`
 * (so `a-b` and `a.txt` come before `a/c`). One folder's names are in memory at a time, and those of the ones above.
 *
 * Symbolic links are followed; one that leads nowhere is listed, since its name promises a file: reading it is what
 * fails. Pipes, sockets and devices are no objects. What vanishes meanwhile is left out.
 * @throws MillraceError for everything that cannot be listed; never a part of the list without an error.
 */
export async function* listFolder(
  folder: Folder,
  includes: (name: string) => boolean,
): AsyncGenerator<StoredObject, void, undefined> {
  const identity = await identify(folder);
  if (identity === undefined || folder.ancestors.includes(identity)) return;
  const ancestors = [...folder.ancestors, identity];

  const entries = await readEntries(folder.path, includes);
  const looked = mapOrdered(entries, STAT_CONCURRENCY, async (entry) => ({
    entry,
    stats: entry.isFolder ? undefined : await statFile(entry),
  }));
  for await (const { entry, stats } of looked) {
    const key = folder.keyPrefix + entry.name;
    if (entry.isFolder) yield* listFolder({ path: entry.path, keyPrefix: `${key}/`, ancestors }, () => true);
    else if (stats !== undefined) yield { key, sizeBytes: Number(stats.size), etag: etagOf(stats) };
  }
}

async function identify({ path, keyPrefix }: Folder): Promise<string | undefined> {
  const stats = await orIfMissing(path, undefined, () => stat(path, { bigint: true }));
  if (stats?.isDirectory()) return `${stats.dev}:${stats.ino}`;
  if (stats !== undefined && keyPrefix === '')
    throw new MillraceError('SOURCE_UNREADABLE', `${path} is not a folder.`);
  return undefined;
}

async function readEntries(path: string, includes: (name: string) => boolean): Promise<readonly Entry[]> {
  const dirents = await orIfMissing(path, [], () => readdir(path, { withFileTypes: true }));
  const entries: Entry[] = [];
  for await (const entry of mapOrdered(
    dirents.filter((dirent) => includes(dirent.name)),
    STAT_CONCURRENCY,
    (dirent) => toEntry(path, dirent),
  ))
    if (entry !== undefined) entries.push(entry);
  const sortName = (entry: Entry): string => (entry.isFolder ? `${entry.name}/` : entry.name);
  return entries.sort((a, b) => compareKeys(sortName(a), sortName(b)));
}

async function toEntry(folder: string, dirent: Dirent): Promise<Entry | undefined> {
  const entry = { name: dirent.name, path: join(folder, dirent.name), isFolder: dirent.isDirectory() };
  // Such a name is found on disk only if it really contains that character.
  if (entry.name.includes(REPLACEMENT_CHARACTER) && (await statFile(entry)) === undefined)
    throw new MillraceError(
      'KEY_INVALID',
      `The file name ${entry.path} is not UTF-8, so it cannot be a key; rename the file.`,
    );
  if (dirent.isDirectory() || dirent.isFile()) return entry;
  if (!dirent.isSymbolicLink()) return undefined;
  const target = await orIfMissing(entry.path, undefined, () => stat(entry.path));
  if (target === undefined || target.isFile()) return entry;
  return target.isDirectory() ? { ...entry, isFolder: true } : undefined;
}

/** Of the file, or of the symbolic link that leads nowhere. */
async function statFile({ path }: Entry): Promise<BigIntStats | undefined> {
  return (
    (await orIfMissing(path, undefined, () => stat(path, { bigint: true }))) ??
    (await orIfMissing(path, undefined, () => lstat(path, { bigint: true })))
  );
}

async function orIfMissing<T, U>(path: string, missing: U, read: () => Promise<T>): Promise<T | U> {
  try {
    return await read();
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return missing;
    throw fromSystemError(error, 'read', path);
  }
}
