import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSource } from '../../../src/source/open-source.ts';
import { collect } from '../storage/collect.ts';
import { bucketsOf } from './buckets.ts';

const keysOf = async (source: string, names: readonly string[]): Promise<string[]> => {
  const opened = await openSource(source, { openStorage: bucketsOf(names.map((name) => [name, name])) });
  return (await collect(opened.list())).map(({ key }) => key);
};

describe('a prefix', () => {
  it('lists the images alone, by the UTF-8 bytes of their keys, with size and etag', async () => {
    // As UTF-16, the emoji's surrogates would come before U+FF5E.
    const names = ['\u{1f600}.png', '\uff5e.png', 'b/a.png', 'b.png', 'B.JPG', 'b/notes.txt'];
    const openStorage = bucketsOf(names.map((name) => [`photos/a/${name}`, name]));
    const source = await openSource('s3://photos/a/', { openStorage });
    const images = await collect(source.list());
    expect(images.map(({ key }) => key)).toEqual([
      'B.JPG',
      'b.png',
      'b/a.png',
      '\uff5e.png',
      '\u{1f600}.png',
    ]);
    expect(images[0]).toEqual({ key: 'B.JPG', sizeBytes: 5, etag: expect.any(String) });
    expect(Buffer.from(await source.get(images[0]!, { maxBytes: 5 })).toString()).toBe('B.JPG');
  });

  it.each([
    ['OBJECT_CHANGED', { key: 'a.jpg', etag: 'x' }, 9],
    ['OBJECT_TOO_LARGE', { key: 'a.jpg' }, 2],
    ['OBJECT_NOT_FOUND', { key: 'b.jpg' }, 9],
  ])('reads an image with all checks: %s', async (code, image, maxBytes) => {
    const source = await openSource('s3://photos/', { openStorage: bucketsOf([['photos/a.jpg', 'abc']]) });
    await expect(source.get(image, { maxBytes })).rejects.toMatchObject({ code });
  });

  it('is there while anything is in it', async () => {
    const openStorage = bucketsOf([['photos/a.txt', '']]);
    const there = await openSource('s3://photos/', { openStorage });
    await expect(there.assertThere()).resolves.toBeUndefined();
    const gone = await openSource('s3://others/', { openStorage });
    await expect(gone.assertThere()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  });
});

describe('a glob', () => {
  const names = [
    'b00/2025/cam-2/2.jpg',
    'b00/2026 (1)/a+b.jpg',
    'b00/2026/cam-2/.2/2.jpg',
    'b00/2026/cam-2/2.jpg',
    'b00/2026/cam-2/2.txt',
    'b00/2026/cam-2/a.jpg',
    'b00/2026/x/cam-1/01.jpg',
    'b00/[1]/a.jpg',
  ];
  it.each([
    ['s3://b00/2026/**/cam-*/[0-9]*.jpg', ['cam-2/2.jpg', 'x/cam-1/01.jpg']],
    ['s3://b00/2026/cam-?/*', ['cam-2/2.jpg', 'cam-2/a.jpg']],
    ['s3://b00/{2025,2026}/*/2.jpg', ['2025/cam-2/2.jpg', '2026/cam-2/2.jpg']],
    [
      's3://b00/202*/',
      ['2025/cam-2/2.jpg', '2026 (1)/a+b.jpg', '2026/cam-2/2.jpg', '2026/cam-2/a.jpg', '2026/x/cam-1/01.jpg'],
    ],
    ['s3://b00/* (1)/a+?.jpg', ['2026 (1)/a+b.jpg']],
    ['s3://b00/\\[1\\]/*.jpg', ['[1]/a.jpg']],
    ['s3://b00/2026/cam-2/[!0-9]*.jpg', ['a.jpg']],
    ['s3://b00/*.jpg', []],
  ])('%s', async (source, expected) => {
    expect(await keysOf(source, names)).toEqual(expected);
  });

  it('lists no more than what can match', async () => {
    const listed: string[] = [];
    const open = bucketsOf([['b00/a/cam-1.jpg', '']]);
    const source = await openSource('s3://b00/a/cam-*.jpg', {
      openStorage: async (uri) => {
        const storage = await open(uri);
        return {
          ...storage,
          list: (prefix) => {
            listed.push(uri + prefix);
            return storage.list(prefix);
          },
        };
      },
    });
    expect(await collect(source.list())).toHaveLength(1);
    expect(listed).toEqual(['s3://b00/a/cam-']);
  });
});

describe('a folder where only some places are allowed', () => {
  let root = '';
  const at = (...names: string[]): string => path.join(root, ...names);
  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'millrace-source-'));
    mkdirSync(at('photos'));
    mkdirSync(at('secret'));
    writeFileSync(at('photos', 'a.jpg'), 'a');
    writeFileSync(at('secret', 'b.jpg'), 'b');
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('lists and reads what is in it', async () => {
    const source = await openSource(at('photos'), { allowedUris: [root] });
    const images = await collect(source.list());
    expect(images.map(({ key }) => key)).toEqual(['a.jpg']);
    expect(Buffer.from(await source.get(images[0]!, { maxBytes: 9 })).toString()).toBe('a');
  });

  it.each(['secret', 'secret/b.jpg'])('refuses a link out of it: to %s', async (target) => {
    const link = target === 'secret' ? 'link' : 'link.jpg';
    symlinkSync(at(target), at('photos', link));
    const source = await openSource(at('photos'), { allowedUris: [at('photos')] });
    const key = target === 'secret' ? 'link/b.jpg' : 'link.jpg';
    const refused = { code: 'URI_NOT_ALLOWED', message: expect.stringContaining(key) };
    await expect(collect(source.list())).rejects.toMatchObject(refused);
    await expect(source.get({ key }, { maxBytes: 9 })).rejects.toMatchObject(refused);
  });

  it('is itself refused outside', async () => {
    const refused = { code: 'URI_NOT_ALLOWED' };
    const allowedUris = [at('photos')];
    await expect(openSource(at('secret'), { allowedUris })).rejects.toMatchObject(refused);
    await expect(openSource(`${at('secret')}/*.jpg`, { allowedUris })).rejects.toMatchObject(refused);
  });
});
