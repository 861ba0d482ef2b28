import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from '../runtime/errors.ts';

/**
 * Make a folder and those above it. Node's own `mkdir` with `recursive` never returns where a file system answers
 * ENOENT although the parent is there, as /proc does.
 *
 * @throws the system's error, ENOENT where the parent is there and yet nothing can be made in it.
 */
export async function makeFolder(path: string): Promise<void> {
  if ((await tryMake(path)) || dirname(path) === path) return;
  await makeFolder(dirname(path));
  if (!(await tryMake(path))) await mkdir(path);
}

/** Whether the folder is there now; `false` where its parent is not. */
async function tryMake(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST') return true;
    if (code === 'ENOENT') return false;
    throw error;
  }
}
