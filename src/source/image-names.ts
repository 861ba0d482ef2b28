/** Image formats; those that are not decoded fail as `unsupported` rather than silently. Other files are passed over. */
export const IMAGE_EXTENSIONS: readonly string[] = [
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
];

const KNOWN = new Set(IMAGE_EXTENSIONS);

/**
 * Whether a file is listed as an image: told by its name's extension, in any case. Hidden files and folders are passed
 * over (macOS leaves `._x.jpg` beside `x.jpg`, others `.thumbs/x.jpg`).
 */
export function isImageKey(key: string): boolean {
  if (key.startsWith('.') || key.includes('/.')) return false;
  const extension = /\.([^./]+)$/.exec(key)?.[1];
  return extension !== undefined && KNOWN.has(extension.toLowerCase());
}
