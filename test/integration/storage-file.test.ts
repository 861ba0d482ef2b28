import { execFile, fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openFileStorage } from '../../src/storage/file.ts';
import { openStorage } from '../../src/storage/open.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { collect } from '../unit/storage/collect.ts';
import { describeStorage } from './storage-conformance.ts';

const NOBODY = 65_534;
const TEMPORARY = '.millrace-tmp';
const folders: string[] = [];

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-storage-'));
  folders.push(folder);
  return folder;
}

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

const keysOf = async (storage: Storage, prefix = ''): Promise<string[]> =>
  (await collect(storage.list(prefix))).map((object) => object.key);

const startWriter = (...task: string[]): ChildProcess =>
  fork(fileURLToPath(new URL('storage-writer.mjs', import.meta.url)), task);

describeStorage('file', {
  open: async () => openFileStorage(join(await newFolder(), 'not there yet')),
  invalidKeys: [
    '',
    '/a',
    'a//b',
    'a/',
    '.',
    'a/../b',
    'a\0b',
    '\uD83D',
    'x'.repeat(256),
    TEMPORARY,
    `${TEMPORARY}/x`,
  ],
});

describe('file storage: listing', () => {
  it('is empty for a folder that does not exist, and makes none', async () => {
    const parent = await newFolder();
    expect(await keysOf(openFileStorage(join(parent, 'x')))).toEqual([]);
    expect(await readdir(parent)).toEqual([]);
  });

  it('refuses a root that is a file', async () => {
    const folder = await newFolder();
    await writeFile(join(folder, 'a.jpg'), '');
    await expect(keysOf(openFileStorage(join(folder, 'a.jpg')))).rejects.toMatchObject({
      code: 'SOURCE_UNREADABLE',
    });
  });

  it('hides the unfinished writes of the root, and only those', async () => {
    const folder = await newFolder();
    await mkdir(join(folder, TEMPORARY));
    await mkdir(join(folder, 'a', TEMPORARY), { recursive: true });
    await writeFile(join(folder, TEMPORARY, 'x'), '');
    await writeFile(join(folder, 'a', TEMPORARY, 'x'), '');
    expect(await keysOf(openFileStorage(folder))).toEqual([`a/${TEMPORARY}/x`]);
  });

  it('follows symbolic links, but not in circles', async () => {
    const [folder, elsewhere] = [await newFolder(), await newFolder()];
    await writeFile(join(elsewhere, 'photo.jpg'), 'pixels');
    await mkdir(join(folder, 'b'));
    await writeFile(join(folder, 'b', 'c.jpg'), '');
    await symlink(elsewhere, join(folder, 'b-link'));
    await symlink(join(elsewhere, 'photo.jpg'), join(folder, 'a.jpg'));
    await symlink(folder, join(folder, 'b', 'up'));
    await symlink(folder, join(elsewhere, 'back'));
    const storage = openFileStorage(folder);
    expect(await keysOf(storage)).toEqual(['a.jpg', 'b-link/photo.jpg', 'b/c.jpg']);
    expect(Buffer.from(await storage.get('b-link/photo.jpg')).toString()).toBe('pixels');
  });

  it('lists a symbolic link that leads nowhere, so that it is missed when it is read', async () => {
    const folder = await newFolder();
    await symlink(join(folder, 'gone.jpg'), join(folder, 'a.jpg'));
    await symlink(join(folder, 'b.jpg'), join(folder, 'b.jpg'));
    const storage = openFileStorage(folder);
    expect(await keysOf(storage)).toEqual(['a.jpg', 'b.jpg']);
    for (const key of ['a.jpg', 'b.jpg'])
      await expect(storage.get(key)).rejects.toMatchObject({ code: 'OBJECT_NOT_FOUND' });
  });

  it('leaves out pipes, and does not wait for their writers', async () => {
    const folder = await newFolder();
    await promisify(execFile)('mkfifo', [join(folder, 'a.jpg')]);
    const storage = openFileStorage(folder);
    expect(await keysOf(storage)).toEqual([]);
    await expect(storage.get('a.jpg')).rejects.toMatchObject({ code: 'OBJECT_NOT_FOUND' });
  });

  it('refuses a file name that is no UTF-8, rather than leave the file out', async () => {
    const folder = await newFolder();
    await writeFile(join(folder, 'real \uFFFD.jpg'), '');
    expect(await keysOf(openFileStorage(folder))).toEqual(['real \uFFFD.jpg']);
    await writeFile(Buffer.concat([Buffer.from(join(folder, 'caf')), Buffer.of(0xe9)]), '');
    await expect(keysOf(openFileStorage(folder))).rejects.toMatchObject({ code: 'KEY_INVALID' });
  });

  it('throws, naming the folder, where it may not look', async () => {
    const folder = await newFolder();
    await chmod(folder, 0o755);
    for (const name of ['a', 'b', 'c']) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'x.jpg'), '');
    }
    await writeFile(join(folder, 'secret.jpg'), '');
    await chmod(join(folder, 'b'), 0);
    await chmod(join(folder, 'secret.jpg'), 0);
    const storage = openFileStorage(folder);
    await asOrdinaryUser(async () => {
      await expect(keysOf(storage)).rejects.toMatchObject({
        code: 'ACCESS_DENIED',
        message: expect.stringContaining(join(folder, 'b')),
      });
      await expect(storage.get('secret.jpg')).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
    });
    await chmod(join(folder, 'b'), 0o755);
  });
});

describe('file storage: writing', () => {
  it('says that it may not', async () => {
    const folder = await newFolder();
    await chmod(folder, 0o555);
    await asOrdinaryUser(async () => {
      await expect(openFileStorage(folder).put('a', Buffer.from('x'))).rejects.toMatchObject({
        code: 'ACCESS_DENIED',
      });
    });
  });

  it('refuses a key where a folder is, or below a file', async () => {
    const storage = openFileStorage(await newFolder());
    await storage.put('a/b', Buffer.from('x'));
    for (const key of ['a', 'a/b/c'])
      await expect(storage.put(key, Buffer.from('y'))).rejects.toMatchObject({ code: 'KEY_INVALID' });
    await expect(storage.createIfAbsent('a/b/c', Buffer.from('y'))).rejects.toMatchObject({
      code: 'KEY_INVALID',
    });
    expect(await keysOf(storage)).toEqual(['a/b']);
  });

  it('asks for the next chunk only when the last is in the file', async () => {
    const folder = await newFolder();
    const sizesSeen: number[] = [];
    const body = async function* (): AsyncGenerator<Uint8Array> {
      for (let n = 0; n < 4; n++) {
        const [name = ''] = await readdir(join(folder, TEMPORARY));
        sizesSeen.push((await readFile(join(folder, TEMPORARY, name))).length);
        yield Buffer.alloc(100_000);
      }
    };
    await openFileStorage(folder).put('a', body());
    expect(sizesSeen).toEqual([0, 100_000, 200_000, 300_000]);
  });

  it('leaves nothing but the objects', async () => {
    const folder = await newFolder();
    const storage = openFileStorage(folder);
    await storage.put('a', Buffer.from('x'));
    await storage.createIfAbsent('a', Buffer.from('x'));
    await storage.createIfAbsent('b', Buffer.from('x'));
    expect(await readdir(join(folder, TEMPORARY))).toEqual([]);
    expect(await storage.removeUnfinishedWrites()).toBe(0);
    expect((await readdir(folder)).toSorted()).toEqual(['a', 'b']);
    await storage.put('c', Buffer.from('x'));
    expect(await keysOf(storage)).toEqual(['a', 'b', 'c']);
  });

  it('makes the etag of size and modification time, so that a faithful copy keeps it', async () => {
    const folder = await newFolder();
    const modified = { a: 1_700_000_000, b: 1_700_000_000, c: 1_700_000_001 };
    for (const [name, seconds] of Object.entries(modified)) {
      await writeFile(join(folder, name), 'x');
      await utimes(join(folder, name), seconds, seconds);
    }
    const [a, b, c] = await collect(openFileStorage(folder).list(''));
    expect(a?.etag).toBe(b?.etag);
    expect(a?.etag).not.toBe(c?.etag);
  });
});

describe('file storage: several processes', () => {
  it('lets exactly one of them create each of 20 keys', async () => {
    const folder = await newFolder();
    const writers = ['0', '1', '2', '3'].map((name) => startWriter('create', folder, name));
    await Promise.all(writers.map((writer) => once(writer, 'message')));
    const reports = writers.map((writer) => once(writer, 'message'));
    for (const writer of writers) writer.send('go');
    const winners = (await Promise.all(reports)).map(
      ([report]) => z.object({ won: z.array(z.int()) }).parse(report).won,
    );
    expect(winners.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, key) => key));
    for (const [name, won] of winners.entries())
      for (const key of won)
        expect(await readFile(join(folder, 'locks', String(key)), 'utf8')).toBe(String(name));
  });

  it('shows nothing of a process that was killed while it wrote, and tidies up after it', async () => {
    const folder = await newFolder();
    const storage = openFileStorage(folder);
    const writer = startWriter('hang', folder);
    await once(writer, 'message');
    expect(await storage.removeUnfinishedWrites()).toBe(0);
    writer.kill('SIGKILL');
    await once(writer, 'exit');
    expect(await keysOf(storage)).toEqual([]);
    expect(await readdir(join(folder, TEMPORARY))).toHaveLength(1);
    expect(await storage.removeUnfinishedWrites()).toBe(1);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('openStorage', () => {
  it('opens folders by path and by URI, and shows them as URIs', async () => {
    const folder = join(await newFolder(), 'a b');
    await openFileStorage(folder).put('x', Buffer.from('1'));
    const byPath = await openStorage(folder);
    expect(byPath.uri).toMatch(/^file:\/\/\/.*\/a%20b\/$/);
    expect(await keysOf(await openStorage(byPath.uri))).toEqual(['x']);
  });
});

/** File permissions mean nothing to root: run as nobody then. */
async function asOrdinaryUser(action: () => Promise<void>): Promise<void> {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(NOBODY);
  try {
    await action();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}
