/** The one import of sharp for reading: whoever decodes gets it with these settings. */
import sharp from 'sharp';
import { IMAGE_FORMATS, type ImageFormat } from './decode-signature.ts';

/** libvips's loaders, from memory only: a file cannot make it open another file. */
const LOADERS: Readonly<Record<ImageFormat, string>> = {
  JPEG: 'VipsForeignLoadJpegBuffer',
  PNG: 'VipsForeignLoadPngBuffer',
  WebP: 'VipsForeignLoadWebpBuffer',
  TIFF: 'VipsForeignLoadTiffBuffer',
  GIF: 'VipsForeignLoadNsgifBuffer',
  AVIF: 'VipsForeignLoadHeifBuffer',
};

sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: Object.values(LOADERS) });
// No image is read twice, so a cache would only hold memory.
sharp.cache(false);
// Several images are decoded at once; threads within one would only compete with them.
sharp.concurrency(1);

export { sharp };

/** Formats that this installation of sharp decodes. */
export function decodableFormats(): ImageFormat[] {
  const available: Readonly<Record<ImageFormat, boolean>> = {
    JPEG: sharp.format.jpeg.input.buffer,
    PNG: sharp.format.png.input.buffer,
    WebP: sharp.format.webp.input.buffer,
    TIFF: sharp.format.tiff.input.buffer,
    GIF: sharp.format.gif.input.buffer,
    AVIF: sharp.format.heif.input.buffer,
  };
  return IMAGE_FORMATS.filter((format) => available[format]);
}
