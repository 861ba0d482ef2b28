import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

const FULL_AT_KIB = 512;
const ROOMY_KIB = 65_536;
const HOOK = fileURLToPath(new URL('./disk-faults.mjs', import.meta.url));

/** A folder where there is no room for a whole run. */
export interface SmallDisk {
  readonly folder: string;
  /** What the processes that write to it have in their environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly kind: 'tmpfs' | 'writes that fail';
  /** From now on it is full, if it is not by itself some time. */
  fill(): Promise<void>;
  /** From now on there is room. */
  free(): Promise<void>;
  remove(): Promise<void>;
}

/** A file system of its own where this process may mount one, else a folder where writes fail by a hook in Node. */
export async function makeSmallDisk(): Promise<SmallDisk> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-full-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${FULL_AT_KIB}k`, 'millrace-faults', folder]);
  } catch {
    return hookedFolder(folder);
  }
  return {
    folder,
    environment: {},
    kind: 'tmpfs',
    fill: async () => undefined,
    free: async () => void (await run('mount', ['-o', `remount,size=${ROOMY_KIB}k`, folder])),
    remove: async () => {
      await run('umount', [folder]);
      await rm(folder, { recursive: true });
    },
  };
}

export function hookedFolder(folder: string): SmallDisk {
  const mark = `${folder}.full`;
  return {
    folder,
    environment: { NODE_OPTIONS: `--import=${HOOK}`, MILLRACE_TEST_DISK_FULL: mark },
    kind: 'writes that fail',
    fill: () => writeFile(mark, ''),
    free: () => rm(mark),
    remove: async () => {
      await rm(mark, { force: true });
      await rm(folder, { recursive: true });
    },
  };
}
