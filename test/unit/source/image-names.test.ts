import { describe, expect, it } from 'vitest';
import { isImageKey } from '../../../src/source/image-names.ts';

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
