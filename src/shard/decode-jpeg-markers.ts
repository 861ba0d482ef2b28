const PREFIX = 0xff;
const START_OF_SCAN = 0xda;
const END_OF_IMAGE = 0xd9;

/** Markers without a segment: TEM and the restarts. */
const isBare = (marker: number): boolean => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7);

/** Tables, restart interval, number of lines, application data and comments, which may stand before any scan. */
const isSegment = (marker: number): boolean =>
  [0xc4, 0xcc, 0xdb, 0xdc, 0xdd, 0xfe].includes(marker) || (marker >= 0xe0 && marker <= 0xef);

/**
 * Whether a JPEG's scans hold a marker that cannot stand there, as they do where a part of the file was overwritten.
 * libjpeg gives up at it, and so does Pillow; libvips leaves the rest of the picture gray and says nothing. Source:
 * ITU T.81, annex B; libjpeg-turbo, jdmarker.c (`read_markers`).
 */
export function hasStrayMarker(jpeg: Uint8Array): boolean {
  const bytes = Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength);
  let at = bytes.indexOf(PREFIX, 2);
  for (let inScan = false; at >= 0 && at + 1 < bytes.length;) {
    const marker = bytes[at + 1]!;
    if (marker === END_OF_IMAGE) return false;
    if (marker === PREFIX) at += 1;
    else if (marker === 0 || isBare(marker)) at = bytes.indexOf(PREFIX, at + 2);
    else {
      if (inScan && marker !== START_OF_SCAN && !isSegment(marker)) return true;
      inScan ||= marker === START_OF_SCAN;
      if (at + 4 > bytes.length) return false;
      at = bytes.indexOf(PREFIX, at + 2 + bytes.readUInt16BE(at + 2));
    }
  }
  return false;
}
