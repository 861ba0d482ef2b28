import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../../src/shard/decode.ts';
import { hasStrayMarker } from '../../../src/shard/decode-jpeg-markers.ts';

const latin1 = (...parts: string[]): Uint8Array => Buffer.from(parts.join(''), 'latin1');

const START = '\xff\xd8\xff\xe0\0\x04ab\xff\xda\0\x04cd';
const END = '\xff\xd9';
const LIMITS = { maxPixels: 1_000_000, timeoutSeconds: 10 };

describe('hasStrayMarker', () => {
  it.each([
    ['a plain scan', `${START}data${END}`],
    ['stuffed bytes, restarts and fill bytes', `${START}a\xff\0b\xff\xd0c\xff\xff\xd7d${END}`],
    ['tables between the scans of a progressive file', `${START}a\xff\xc4\0\x04xy\xff\xda\0\x04cdb${END}`],
    ['anything behind the end', `${START}a${END}\xff\x37\xff\xd8`],
    ['a marker-like byte within a segment', `\xff\xd8\xff\xe0\0\x04\xff\x37\xff\xda\0\x04cda${END}`],
    ['a file that breaks off', `${START}a\xff`],
    ['a file that breaks off in a segment', `${START}a\xff\xc4\0`],
  ])('allows %s', (_, text) => {
    expect(hasStrayMarker(latin1(text))).toBe(false);
  });

  it.each([
    ['an unknown marker', `${START}a\xff\x37b${END}`],
    ['a second frame', `${START}a\xff\xc0\0\x04xyb${END}`],
    ['a second start', `${START}a\xff\xd8b${END}`],
  ])('finds %s in a scan', (_, text) => {
    expect(hasStrayMarker(latin1(text))).toBe(true);
  });
});

it('a JPEG whose second half was overwritten fails, as in Pillow', async () => {
  const raw = Buffer.from(Uint8Array.from({ length: 64 * 64 * 3 }, (_, n) => (n * 7919) % 251));
  const whole = await sharp(raw, { raw: { width: 64, height: 64, channels: 3 } })
    .jpeg()
    .toBuffer();
  await expect(decodeImage(whole, LIMITS)).resolves.toMatchObject({ width: 64, height: 64 });
  const overwritten = Buffer.from(whole);
  overwritten.fill(Buffer.from([0x12, 0xff, 0x37, 0x9a]), whole.length >> 1, whole.length - 2);
  await expect(decodeImage(overwritten, LIMITS)).rejects.toMatchObject({ failureClass: 'decode_failed' });
});
