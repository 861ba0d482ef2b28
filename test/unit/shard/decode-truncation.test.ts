import { describe, expect, it } from 'vitest';
import { endsEarly } from '../../../src/shard/decode-truncation.ts';
import { IMAGE_FORMATS, type ImageFormat } from '../../../src/shard/decode-signature.ts';

const latin1 = (...parts: string[]): Uint8Array => Buffer.from(parts.join(''), 'latin1');

/** The structure of the smallest whole files; none holds a picture. */
const WHOLE: Readonly<Record<ImageFormat, Uint8Array>> = {
  JPEG: latin1('\xff\xd8', '\xff\xe0\0\x04ab', '\xff\xda\0\x04cd', 'data', '\xff\xd9'),
  PNG: latin1('\x89PNG\r\n\x1a\n', '\0\0\0\x02IDATab\0\0\0\0', '\0\0\0\0IEND\0\0\0\0'),
  WebP: latin1('RIFF\x0c\0\0\0WEBP', 'VP8 \0\0\0\0'),
  // One strip of 4 bytes at 8; the directory at 12.
  TIFF: latin1(
    'II*\0\x0c\0\0\0',
    'data',
    '\x02\0',
    '\x11\x01\x04\0\x01\0\0\0\x08\0\0\0',
    '\x17\x01\x03\0\x01\0\0\0\x04\0\0\0',
    '\0\0\0\0',
  ),
  GIF: latin1('GIF89a', '\x01\0\x01\0\0\0\0', '\x3b'),
  AVIF: latin1('\0\0\0\x0cftypavif', '\0\0\0\x0cmdatdata'),
};

describe('endsEarly', () => {
  it.each(IMAGE_FORMATS)('finds %s whole', (format) => {
    expect(endsEarly(format, WHOLE[format])).toBe(false);
  });

  it.each([
    ['JPEG', 2],
    ['JPEG', 5],
    ['JPEG', 10],
    ['JPEG', 16],
    ['JPEG', 18],
    ['PNG', 8],
    ['PNG', 17],
    ['PNG', 27],
    ['WebP', 13],
    ['WebP', 19],
    ['TIFF', 8],
    ['TIFF', 12],
    ['TIFF', 20],
    ['GIF', 7],
    ['GIF', 13],
    ['AVIF', 10],
    ['AVIF', 23],
  ] as const)('finds %s too short at %i bytes', (format, length) => {
    expect(endsEarly(format, WHOLE[format].subarray(0, length))).toBe(true);
  });

  it('does not take the end of a thumbnail for the end of a JPEG', () => {
    const thumbnail = '\xff\xd8\xff\xd9';
    const cut = latin1(`\xff\xd8\xff\xe1\0\x06${thumbnail}\xff\xda\0\x04cddata`);
    expect(endsEarly('JPEG', cut)).toBe(true);
  });

  it('finds a TIFF too short whose strip or whose values lie behind its end', () => {
    const strip = WHOLE.TIFF.slice();
    strip[22] = 0xff; // the strip's offset
    expect(endsEarly('TIFF', strip)).toBe(true);
    const values = WHOLE.TIFF.slice();
    values[30] = 0xff; // the number of byte counts
    expect(endsEarly('TIFF', values)).toBe(true);
  });

  it('calls damage damage, where the structure still reaches the end', () => {
    const damaged = WHOLE.JPEG.slice();
    damaged[8] = 0;
    expect(endsEarly('JPEG', damaged)).toBe(false);
  });

  it('ends for a box or a count that would never end', () => {
    expect(endsEarly('AVIF', latin1('\0\0\0\0mdat'))).toBe(false);
    expect(
      endsEarly('TIFF', latin1('II*\0\x08\0\0\0\xff\xff', '\x11\x01\x04\0\xff\xff\xff\xff\0\0\0\0')),
    ).toBe(true);
  });
});
