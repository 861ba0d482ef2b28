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

/** The strips or tiles that the first directory lists; TIFF 6.0, section 2. BigTIFF is not looked into. */
function tiffEndsEarly(view: DataView): boolean {
  const little = view.getUint8(0) === 0x49;
  if (view.getUint16(2, little) !== 42) return false;
  const directoryAt = view.getUint32(4, little);
  let offsets: number[] = [];
  let byteCounts: number[] = [];
  for (let index = 0; index < view.getUint16(directoryAt, little); index++) {
    const entryAt = directoryAt + 2 + 12 * index;
    const tag = view.getUint16(entryAt, little);
    if (TIFF_OFFSETS.has(tag)) offsets = [...tiffNumbers(view, entryAt, little)];
    if (TIFF_BYTE_COUNTS.has(tag)) byteCounts = [...tiffNumbers(view, entryAt, little)];
  }
  return offsets.some((offset, index) => offset + (byteCounts[index] ?? 0) > view.byteLength);
}

/** The 16 or 32-bit numbers of a directory entry, which holds them itself where they fit into four bytes. */
function* tiffNumbers(view: DataView, entryAt: number, little: boolean): Generator<number> {
  const isShort = view.getUint16(entryAt + 2, little) === TIFF_SHORT;
  const count = view.getUint32(entryAt + 4, little);
  const size = isShort ? 2 : 4;
  const start = count * size <= 4 ? entryAt + 8 : view.getUint32(entryAt + 8, little);
  for (let at = start; at < start + count * size; at += size) {
    yield isShort ? view.getUint16(at, little) : view.getUint32(at, little);
  }
}
