import { MillraceError } from '../runtime/errors.ts';
import type { Storage, StoredObject } from '../storage/storage.ts';

/** Image formats; those that are not decoded fail as `unsupported` rather than silently. Other files are passed over. */
const IMAGE_EXTENSIONS = new Set([
  'jpg',
  'jpeg',
  'jpe',
  'jfif',
  'png',
  'webp',
  'tif',
  'tiff',
  'gif',
  'avif',
  'heic',
  'heif',
  'bmp',
  'jp2',
  'jxl',
]);

/** An image of the source: its name below it and what it was when listed. */
export type SourceImage = StoredObject;

/**
 * The images of a folder, in the order of the UTF-8 bytes of their keys. Told by the name's extension, in any case;
 * hidden files and folders are passed over (macOS leaves `._x.jpg` beside `x.jpg`, others `.thumbs/x.jpg`).
 */
export async function* listImages(source: Storage): AsyncGenerator<SourceImage> {
  for await (const object of source.list('')) if (isImageKey(object.key)) yield object;
}

export function isImageKey(key: string): boolean {
  if (key.startsWith('.') || key.includes('/.')) return false;
  const extension = /\.([^./]+)$/.exec(key)?.[1];
  return extension !== undefined && IMAGE_EXTENSIONS.has(extension.toLowerCase());
}

/** @throws MillraceError SOURCE_EMPTY where there is no image. */
export async function assertHasImages(source: Storage): Promise<void> {
  for await (const _ of listImages(source)) return;
  throw new MillraceError(
    'SOURCE_EMPTY',
    `${source.uri} holds no image: looked for files ending in ${[...IMAGE_EXTENSIONS].map((e) => `.${e}`).join(' ')}, in sub-folders too`,
  );
}
