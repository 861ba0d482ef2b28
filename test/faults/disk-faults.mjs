/**
 * Loaded before a process by `NODE_OPTIONS=--import`: while the file MILLRACE_TEST_DISK_FULL is there, whatever writes
 * to a file finds the disk full. For machines where the tests may not mount a small file system.
 */
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';

const mark = process.env.MILLRACE_TEST_DISK_FULL ?? '';

const handle = await open(process.execPath, 'r');
const fileHandle = Object.getPrototypeOf(handle);
await handle.close();

const { writeFile } = fileHandle;
fileHandle.writeFile = async function (...args) {
  if (!existsSync(mark)) return writeFile.apply(this, args);
  throw Object.assign(new Error('ENOSPC: no space left on device, write'), {
    errno: -28,
    code: 'ENOSPC',
    syscall: 'write',
  });
};
