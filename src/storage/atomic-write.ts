import { randomUUID } from 'node:crypto';
import { link, open, readdir, rename, rmdir, stat, unlink, type FileHandle } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { MillraceError, systemCode } from '../runtime/errors.ts';
import { makeFolder } from './make-folder.ts';
import { fromSystemError } from './system-error.ts';

/** Below the root. Everything is written here first, so that remains of killed processes are all in one place. */
export const TEMPORARY_FOLDER = '.millrace-tmp';

/** A temporary file of another machine that nobody has written to for so long has no writer any more. */
const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1000;

type Body = Uint8Array | AsyncIterable<Uint8Array>;

/**
 * Write a file so that a reader, also one after a power failure, sees the old content or the new, whole: temporary
 * file, fsync, rename(2).
 */
export async function replaceFile(root: string, path: string, body: Body): Promise<void> {
  await withTemporaryFile(root, path, body, (temporary) => rename(temporary, path));
  await syncFolder(dirname(path));
}

/**
 * Write a file unless there is one: temporary file, fsync, link(2), which fails where the name exists; `false` then.
 * The name is durable when this returns.
 */
export async function createFile(root: string, path: string, body: Uint8Array): Promise<boolean> {
  const created = await withTemporaryFile(root, path, body, (temporary) =>
    linkUnlessPresent(temporary, path),
  );
  if (created) await syncFolder(dirname(path));
  return created;
}

/** Remove the temporary files whose writers are gone. Returns how many there were. */
export async function removeTemporaryFiles(root: string, nowMs: number): Promise<number> {
  const folder = join(root, TEMPORARY_FOLDER);
  let removed = 0;
  try {
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      if (!(await isAbandoned(name, path, nowMs))) continue;
      await unlink(path).then(() => (removed += 1), ignoring('ENOENT'));
    }
    await rmdir(folder).catch(ignoring('ENOENT', 'ENOTEMPTY', 'EEXIST'));
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw fromSystemError(error, 'write', folder);
  }
  return removed;
}

async function withTemporaryFile<T>(
  root: string,
  path: string,
  body: Body,
  publish: (temporary: string) => Promise<T>,
): Promise<T> {
  const attempt = <U>(action: () => Promise<U>): Promise<U> =>
    action().catch((error: unknown) => {
      throw fromSystemError(error, 'write', path);
    });
  const folder = join(root, TEMPORARY_FOLDER);
  const temporary = join(folder, `${hostname()}.${process.pid}.${randomUUID()}`);
  const handle = await attempt(() => inFolder(folder, () => open(temporary, 'wx')));
  try {
    try {
      // The body's own errors are the caller's and pass as they are.
      if (body instanceof Uint8Array) await attempt(() => handle.writeFile(body));
      else for await (const chunk of body) await attempt(() => handle.writeFile(chunk));
      await attempt(() => handle.sync());
    } finally {
      await handle.close();
    }
    return await attempt(() => inFolder(dirname(path), () => publish(temporary)));
  } finally {
    // Renamed, it is gone already; and what cannot be removed is removed later, as a remain.
    await unlink(temporary).catch(() => undefined);
  }
}

/** Make the folder when an action misses it; twice, since whoever tidies up may remove it again in between. */
async function inFolder<T>(folder: string, action: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await action();
    } catch (error) {
      if (systemCode(error) !== 'ENOENT' || attempt === 3) throw error;
      await makeFolder(folder);
    }
  }
}

async function linkUnlessPresent(temporary: string, path: string): Promise<boolean> {
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    const code = systemCode(error);
    // NFS repeats a call whose answer was lost, and the repetition finds the link that the first call has made.
    if (code === 'EEXIST') return (await stat(temporary)).nlink === 2;
    if (code === 'EPERM' || code === 'ENOTSUP' || code === 'EOPNOTSUPP' || code === 'ENOSYS')
      throw new MillraceError(
        'OUTPUT_NOT_WRITABLE',
        `The file system of ${path} has no hard links (${code}), without which two writers could both win; choose an output on another one.`,
        { cause: error },
      );
    throw error;
  }
}

async function syncFolder(path: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    await handle.sync();
  } catch {
    // Not every file system can; the file is there, and only a power failure could still take it away.
  } finally {
    await handle?.close();
  }
}

async function isAbandoned(name: string, path: string, nowMs: number): Promise<boolean> {
  const [, host, processId] = /^(.*)\.(\d+)\.[0-9a-f-]{36}$/.exec(name) ?? [];
  if (host === hostname() && processId !== undefined && !isRunning(Number(processId))) return true;
  const stats = await stat(path).catch(ignoring('ENOENT'));
  return stats !== undefined && nowMs - stats.mtimeMs > ABANDONED_AFTER_MS;
}

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== 'ESRCH';
  }
}

function ignoring(...codes: string[]): (error: unknown) => undefined {
  return (error) => {
    if (!codes.includes(systemCode(error) ?? '')) throw error;
    return undefined;
  };
}
