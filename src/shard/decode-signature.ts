/** The formats that are decoded. */
export const IMAGE_FORMATS = ['JPEG', 'PNG', 'WebP', 'TIFF', 'GIF', 'AVIF'] as const;

export type ImageFormat = (typeof IMAGE_FORMATS)[number];

/** Bytes that decide; a vector graphic may begin with a long comment. */
const HEAD_BYTES = 1024;

/** The beginnings of files, one character a byte. Order matters: the brand `mif1` alone does not tell AVIF from HEIC. */
const DECODABLE: readonly (readonly [ImageFormat, RegExp])[] = [
  ['JPEG', /^\xff\xd8\xff/],
  ['PNG', /^\x89PNG\r\n/],
  ['WebP', /^RIFF.{4}WEBP/s],
  ['TIFF', /^(?:II[*+]\0|MM\0[*+])/],
  ['GIF', /^GIF8[79]a/],
  ['AVIF', /^.{4}ftyp(?:avi[fs]|m[is]f1.{4}(?:.{4}){0,15}?avi[fs])/s],
];

const OTHER_IMAGES: readonly (readonly [name: string, start: RegExp])[] = [
  ['HEIC', /^.{4}ftyp(?:he[iv][cxms]|m[is]f1)/s],
  ['JPEG 2000', /^(?:.{4}jP {2}\r\n|\xffO\xffQ)/s],
  ['JPEG XL', /^(?:\xff\n|.{4}JXL \r\n)/s],
  ['BMP', /^BM.{4}\0\0\0\0/s],
  ['SVG', /^(?:\xef\xbb\xbf)?\s*<(?:svg[\s>]|(?:\?xml|!--|!DOCTYPE svg).*<svg[\s>])/is],
  ['PDF', /^%PDF-/],
  ['Photoshop', /^8BPS/],
  ['OpenEXR', /^v\/1[^ -~]/],
  ['Radiance HDR', /^#\?RA/],
  ['icon', /^\0\0[^ -~\0]\0[^\0]\0/],
  ['PNM', /^P[1-7]\s/],
  ['DDS', /^DDS /],
  ['QOI', /^qoif/],
];

export type Signature =
  | { readonly kind: 'decodable'; readonly format: ImageFormat }
  | { readonly kind: 'unsupported'; readonly name: string }
  | { readonly kind: 'unknown' };

/** What the first bytes say a file is; names of files and content types are not asked. */
export function readSignature(bytes: Uint8Array): Signature {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, HEAD_BYTES)).toString(
    'latin1',
  );
  const decodable = DECODABLE.find(([, start]) => start.test(head));
  if (decodable) return { kind: 'decodable', format: decodable[0] };
  const other = OTHER_IMAGES.find(([, start]) => start.test(head));
  return other ? { kind: 'unsupported', name: other[0] } : { kind: 'unknown' };
}
