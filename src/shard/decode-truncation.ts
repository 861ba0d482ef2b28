import type { ImageFormat } from './decode-signature.ts';

/**
 * Whether a file that could not be decoded ends before its own structure says it does. Read from the structure, not from
 * the decoder's message: messages change with versions.
 */
export function endsEarly(format: ImageFormat, bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return ENDS_EARLY[format](view);
  } catch (error) {
    // A DataView refuses what lies outside: the structure points behind the end.
    if (error instanceof RangeError) return true;
    throw error;
  }
}

const ENDS_EARLY: Readonly<Record<ImageFormat, (view: DataView) => boolean>> = {
  JPEG: jpegEndsEarly,
  PNG: pngEndsEarly,
  WebP: (view) => 8 + view.getUint32(4, true) > view.byteLength,
  TIFF: tiffEndsEarly,
  GIF: (view) => view.getUint8(view.byteLength - 1) !== GIF_TRAILER,
  AVIF: boxesEndEarly,
};

const GIF_TRAILER = 0x3b;
const JPEG_START_OF_SCAN = 0xda;
const JPEG_END_OF_IMAGE = 0xffd9;

/** Segments up to the first scan, then an end-of-image marker, ITU T.81 annex B. Thumbnails lie within segments. */
function jpegEndsEarly(view: DataView): boolean {
  for (let at = 2; ; at += 2 + view.getUint16(at + 2)) {
    while (view.getUint8(at) === 0xff && view.getUint8(at + 1) === 0xff) at++;
    if (view.getUint8(at) !== 0xff) return false;
    if (view.getUint8(at + 1) === JPEG_START_OF_SCAN) return !hasEndOfImage(view, at);
  }
}

function hasEndOfImage(view: DataView, scanAt: number): boolean {
  for (let at = view.byteLength - 2; at > scanAt; at--) {
    if (view.getUint16(at) === JPEG_END_OF_IMAGE) return true;
  }
  return false;
}

/** Chunks of length, type, data and checksum; "IEND" is the last. */
function pngEndsEarly(view: DataView): boolean {
  const end = 0x49454e44;
  for (let at = 8; view.getUint32(at + 4) !== end;) at += 12 + view.getUint32(at);
  return false;
}

/** ISO base media boxes: a length that counts itself, then a type; 1 means a 64-bit length follows, 0 "to the end". */
function boxesEndEarly(view: DataView): boolean {
  let at = 0;
  while (at < view.byteLength) {
    const short = view.getUint32(at);
    const length = short === 1 ? Number(view.getBigUint64(at + 8)) : short;
    if (length < 8) return false;
    at += length;
  }
  return at > view.byteLength;
}

const TIFF_OFFSETS = new Set([273, 324]); // of strips, of tiles
const TIFF_BYTE_COUNTS = new Set([279, 325]);
const TIFF_SHORT = 3;
/** Bytes of one value, by type. */
const TIFF_TYPE_BYTES = [1, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8];

/** The first directory, its values, and the strips or tiles that it lists; TIFF 6.0, section 2. Not for BigTIFF. */
function tiffEndsEarly(view: DataView): boolean {
  const little = view.getUint8(0) === 0x49;
  if (view.getUint16(2, little) !== 42) return false;
  const directoryAt = view.getUint32(4, little);
  let offsets: number[] = [];
  let byteCounts: number[] = [];
  for (let index = 0; index < view.getUint16(directoryAt, little); index++) {
    const entryAt = directoryAt + 2 + 12 * index;
    const tag = view.getUint16(entryAt, little);
    const type = view.getUint16(entryAt + 2, little);
    const count = view.getUint32(entryAt + 4, little);
    const valueBytes = count * (TIFF_TYPE_BYTES[type] ?? 1);
    // Up to four bytes, the entry holds the values itself.
    const valuesAt = valueBytes <= 4 ? entryAt + 8 : view.getUint32(entryAt + 8, little);
    if (valuesAt + valueBytes > view.byteLength) return true;
    const readValues = (): number[] =>
      Array.from({ length: count }, (_, value) =>
        type === TIFF_SHORT
          ? view.getUint16(valuesAt + 2 * value, little)
          : view.getUint32(valuesAt + 4 * value, little),
      );
    if (TIFF_OFFSETS.has(tag)) offsets = readValues();
    if (TIFF_BYTE_COUNTS.has(tag)) byteCounts = readValues();
  }
  return offsets.some((offset, index) => offset + (byteCounts[index] ?? 0) > view.byteLength);
}
