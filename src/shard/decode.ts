import type { Metadata, Sharp, SharpOptions } from 'sharp';
import { toError } from '../runtime/errors.ts';
import { ImageFailure } from '../runtime/image-failure.ts';
import type { ImageSize, RgbImage } from '../vision/geometry.ts';
import { cmykToRgb } from './decode-cmyk.ts';
import { withOpaqueFirstFrame } from './decode-gif.ts';
import { sharp } from './decode-sharp.ts';
import { hasStrayMarker } from './decode-jpeg-markers.ts';
import { type ImageFormat, readSignature } from './decode-signature.ts';
import { endsEarly } from './decode-truncation.ts';

export { decodableFormats } from './decode-sharp.ts';

export interface DecodeLimits {
  /** Larger images (width times height) fail as `too_large` before their pixels are touched. */
  readonly maxPixels: number;
  /** Whole seconds that the pixels of one image may take. */
  readonly timeoutSeconds: number;
}

/** What the header says. Height and width are the upright image's. */
export interface ImageHeader extends ImageSize {
  readonly format: ImageFormat;
  /** EXIF orientation of the file, 1 to 8; 1 where it has none. */
  readonly orientation: number;
  readonly colour: 'rgb-or-gray' | 'cmyk';
}

/** The upright image; its pixels own their whole buffer, so that it can be transferred. */
export interface DecodedImage extends RgbImage {
  readonly pixels: Uint8Array<ArrayBuffer>;
  /** EXIF orientation of the file, 1 to 8, which has been applied; 1 where it has none. */
  readonly orientation: number;
}

/** ICC profiles are ignored, as Pillow and OpenCV do: models are trained on the samples as they are stored. */
const READ: SharpOptions = { ignoreIcc: true, autoOrient: true, pages: 1, limitInputChannels: false };

/**
 * Damage that leaves pixels missing fails. Warnings do not (bytes between JPEG markers, odd metadata): such files are
 * common, and Pillow reads them.
 */
const FAIL_ON = 'error';

const COLOURS: Readonly<Partial<Record<Metadata['space'], ImageHeader['colour']>>> = {
  srgb: 'rgb-or-gray',
  rgb: 'rgb-or-gray',
  rgb16: 'rgb-or-gray',
  'b-w': 'rgb-or-gray',
  grey16: 'rgb-or-gray',
  cmyk: 'cmyk',
};

/**
 * Reads an image's header, in well under a millisecond.
 *
 * @throws ImageFailure as {@link decodeImage} does, except for what only the pixels show.
 */
export async function probeImage(bytes: Uint8Array, limits: DecodeLimits): Promise<ImageHeader> {
  const format = formatOf(bytes);
  // The limit is checked below, where the failure can name both numbers.
  const metadata = await read({ format, bytes, limits }, () =>
    sharp(bytes, { ...READ, limitInputPixels: false }).metadata(),
  );
  const colour = colourOf(format, metadata);
  const { height, width } = metadata.autoOrient;
  const pixels = height * width;
  if (pixels > limits.maxPixels)
    throw new ImageFailure(
      'too_large',
      `${width} x ${height} is ${pixels} pixels, at most ${limits.maxPixels} are decoded; scale it down or raise maxImagePixels`,
    );
  return { format, height, width, colour, orientation: metadata.orientation ?? 1 };
}

/**
 * Decodes an image to upright RGB, 8 bits a sample: the bytes of Pillow's `ImageOps.exif_transpose(image).convert('RGB')`
 * for JPEG, PNG, WebP, TIFF and GIF; of the first frame or page. Alpha is dropped, not blended; gray is repeated; CMYK is
 * converted without profiles. Samples of 16 bits keep their upper 8 (`v >> 8`; Pillow does so for colour, and clips
 * gray). AVIF with subsampled chroma differs from Pillow at coloured edges: libheif repeats chroma samples, libavif
 * interpolates them.
 *
 * The work is done in libuv's threads; only the copy to a buffer that can be transferred, and CMYK, are the caller's.
 * (sharp 0.35.5's `toUint8Array` would save the copy, and never frees its memory.)
 *
 * @throws ImageFailure `empty`, `not_an_image`, `truncated`, `unsupported`, `too_large` or `decode_failed`.
 */
export async function decodeImage(bytes: Uint8Array, limits: DecodeLimits): Promise<DecodedImage> {
  const header = await probeImage(bytes, limits);
  const { format, height, width, orientation } = header;
  const isCmyk = header.colour === 'cmyk';
  const data = await read({ format, bytes, limits }, () => {
    const image = sharp(format === 'GIF' ? withOpaqueFirstFrame(bytes) : bytes, {
      ...READ,
      failOn: FAIL_ON,
      limitInputPixels: limits.maxPixels,
    }).timeout({ seconds: limits.timeoutSeconds });
    return (isCmyk ? asCmyk(image) : asRgb(image)).raw().toBuffer();
  });
  if (format === 'JPEG' && hasStrayMarker(bytes)) throw damaged(format);
  const pixels = isCmyk ? cmykToRgb(data) : new Uint8Array(data);
  if (pixels.length !== height * width * 3) throw damaged(format);
  return { height, width, orientation, pixels };
}

const asRgb = (image: Sharp): Sharp => image.removeAlpha().toColourspace('srgb');

/** Both spaces named, so that no profile is applied on the way. */
const asCmyk = (image: Sharp): Sharp => image.pipelineColourspace('cmyk').toColourspace('cmyk');

function formatOf(bytes: Uint8Array): ImageFormat {
  if (bytes.length === 0) throw new ImageFailure('empty', 'the file is empty');
  const signature = readSignature(bytes);
  if (signature.kind === 'decodable') return signature.format;
  if (signature.kind === 'unsupported') throw unsupported(signature.name);
  throw new ImageFailure('not_an_image', `no known image format starts with ${quoteStart(bytes)}`);
}

function colourOf(format: ImageFormat, { space, depth, channels }: Metadata): ImageHeader['colour'] {
  const colour = COLOURS[space];
  const isInteger = depth === 'uchar' || (depth === 'ushort' && colour === 'rgb-or-gray');
  const isExpected = colour === 'cmyk' ? channels === 4 : channels <= 4;
  if (colour && isInteger && isExpected) return colour;
  throw unsupported(`${format} with ${channels} ${space} channels of type ${depth}`);
}

interface Source {
  readonly format: ImageFormat;
  readonly bytes: Uint8Array;
  readonly limits: DecodeLimits;
}

/** What sharp throws for an image becomes the image's failure. Its texts change with its version: they are the cause. */
async function read<T>({ format, bytes, limits }: Source, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const cause = toError(error);
    if (cause.message.startsWith('timeout'))
      throw new ImageFailure(
        'decode_failed',
        `decoding took longer than ${limits.timeoutSeconds} s; scale it down or raise decodeTimeoutSeconds`,
        { cause },
      );
    if (endsEarly(format, bytes))
      throw new ImageFailure('truncated', `the ${format} file ends before its image does; copy it again`, {
        cause,
      });
    throw damaged(format, cause);
  }
}

const unsupported = (what: string): ImageFailure =>
  new ImageFailure('unsupported', `${what} is not decoded; convert it to PNG or JPEG`);

const damaged = (format: ImageFormat, cause?: Error): ImageFailure =>
  new ImageFailure('decode_failed', `the ${format} data is damaged; replace the file`, { cause });

/** A few bytes for people, who tell a web page or a text by them; a link may lead to a file that is nobody's business. */
function quoteStart(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.subarray(0, 6)).toString('latin1');
  return `"${text.replaceAll(/[^ -~]|["\\]/g, '.')}"`;
}
