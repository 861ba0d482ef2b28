import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeFolder } from '../../../src/storage/make-folder.ts';

let root = '';
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'millrace-folder-'))));
afterEach(() => rmSync(root, { recursive: true }));

describe('makeFolder', () => {
  it('makes the missing parents, and a second time nothing', async () => {
    const folder = join(root, 'a', 'b', 'c');
    await makeFolder(folder);
    await makeFolder(folder);
    expect(statSync(folder).isDirectory()).toBe(true);
  });

  it('lets many make the same folder at once', async () => {
    const folder = join(root, 'a', 'b', 'c');
    await Promise.all(Array.from({ length: 20 }, () => makeFolder(folder)));
    expect(statSync(folder).isDirectory()).toBe(true);
  });

  it('fails below a file', async () => {
    writeFileSync(join(root, 'file'), '');
    await expect(makeFolder(join(root, 'file', 'a', 'b'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  });

  it('ends where the file system makes no folders', async () => {
    await expect(makeFolder('/proc/millrace/a/b')).rejects.toThrow('/proc/millrace');
  });
});
