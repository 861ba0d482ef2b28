import { describe, expect, it } from 'vitest';
import { assertHasImages, isImageKey, listImages } from '../../../src/plan/list-images.ts';
import { openMemoryStorage } from '../../../src/storage/memory.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { collect } from '../storage/collect.ts';

async function storageOf(...keys: string[]): Promise<Storage> {
  const storage = openMemoryStorage();
  for (const key of keys) await storage.put(key, Buffer.from(key));
  return storage;
}

describe('isImageKey', () => {
  it.each([
    'a.jpg',
    'a.jpeg',
    'a.png',
    'a.webp',
    'a.tif',
    'a.tiff',
    'a.gif',
    'a.avif',
    'a.heic',
    'a.heif',
    'A.JPG',
    'a.Png',
    'deep/er/a.png',
    'a.tar.png',
    'two words (1).jpg',
    'ü.jpg',
  ])('takes %s', (key) => expect(isImageKey(key)).toBe(true));

  it.each([
    ['another extension', 'a.txt'],
    ['an image extension that is not the last', 'a.jpg.part'],
    ['no extension', 'jpg'],
    ['an empty extension', 'a.'],
    ['an extension without a name', '.jpg'],
    ["macOS's companion of x.jpg", 'photos/._x.jpg'],
    ['a file without an extension in a folder with one', 'photos.jpg/readme'],
    ['a longer extension', 'a.jpgx'],
  ])('passes over %s', (_, key) => expect(isImageKey(key)).toBe(false));
});

describe('listImages', () => {
  it('lists the images alone, by the UTF-8 bytes of their keys, with size and etag', async () => {
    // As UTF-16, the emoji's surrogates would come before U+FF5E.
    const source = await storageOf('\u{1f600}.png', '\uff5e.png', 'b/a.png', 'b.png', 'B.JPG', 'b/notes.txt');
    const images = await collect(listImages(source));
    expect(images.map(({ key }) => key)).toEqual([
      'B.JPG',
      'b.png',
      'b/a.png',
      '\uff5e.png',
      '\u{1f600}.png',
    ]);
    expect(images[0]).toEqual(await source.stat('B.JPG'));
  });
});

describe('assertHasImages', () => {
  it('passes where there is one, however deep', async () => {
    await expect(assertHasImages(await storageOf('a.txt', 'b/c/d.png'))).resolves.toBeUndefined();
  });

  it.each([[[]], [['a.txt', '.thumbs/a.jpg', 'deep/.cache/a.jpg', '.hidden.jpg']]])(
    'refuses %j and says what it looked for',
    async (keys) => {
      await expect(assertHasImages(await storageOf(...keys))).rejects.toMatchObject({
        code: 'SOURCE_EMPTY',
        message: expect.stringMatching(/^memory:\/\/ holds no image: .*\.jpg .*\.avif/),
      });
    },
  );
});
