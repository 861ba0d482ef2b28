import { fileURLToPath } from 'node:url';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodableFormats, decodeImage, probeImage } from '../../../src/shard/decode.ts';

const LIMITS = { maxPixels: 10_000, timeoutSeconds: 60 };

/** 2 x 1: red, half-transparent blue. */
const RED_BLUE = Uint8Array.of(255, 0, 0, 255, 0, 0, 255, 128);
const redBlue = (): Sharp => sharp(RED_BLUE, { raw: { width: 2, height: 1, channels: 4 } });

const blank = (width: number, height: number): Sharp =>
  sharp({ create: { width, height, channels: 3, background: 'white' } });

/** A TIFF of one pixel with samples of the given number and kind; 1 unsigned, 3 float. */
function tinyTiff(samples: number, bits: number, sampleFormat: number): Uint8Array {
  const entries: [tag: number, type: number, value: number][] = [
    [256, 3, 1],
    [257, 3, 1],
    [258, 3, bits],
    [259, 3, 1],
    [262, 3, 1],
    [273, 4, 8],
    [277, 3, samples],
    [278, 3, 1],
    [279, 4, (samples * bits) / 8],
    [339, 3, sampleFormat],
  ];
  const file = Buffer.alloc(8 + 64 + 2 + 12 * entries.length + 4);
  file.write('II*\0', 'latin1');
  file.writeUInt32LE(72, 4);
  file.writeUInt16LE(entries.length, 72);
  entries.forEach(([tag, type, value], index) => {
    const at = 74 + 12 * index;
    file.writeUInt16LE(tag, at);
    file.writeUInt16LE(type, at + 2);
    file.writeUInt32LE(1, at + 4);
    file.writeUInt32LE(value, at + 8);
  });
  return file;
}

describe('decodeImage', () => {
  it('gives rows of R G B, alpha dropped and not blended', async () => {
    const image = await decodeImage(await redBlue().png().toBuffer(), LIMITS);
    expect(image).toEqual({
      width: 2,
      height: 1,
      orientation: 1,
      pixels: Uint8Array.of(255, 0, 0, 0, 0, 255),
    });
  });

  it('turns the image upright', async () => {
    const stored = await redBlue().withMetadata({ orientation: 6 }).png().toBuffer();
    const image = await decodeImage(stored, LIMITS);
    expect(image).toMatchObject({ width: 1, height: 2, orientation: 6 });
    expect([...image.pixels]).toEqual([255, 0, 0, 0, 0, 255]);
  });

  it('owns a buffer that can be transferred', async () => {
    const { pixels } = await decodeImage(await blank(3, 2).jpeg().toBuffer(), LIMITS);
    expect(pixels.buffer.byteLength).toBe(18);
    structuredClone(pixels, { transfer: [pixels.buffer] });
    expect(pixels.byteLength).toBe(0);
  });

  it('reads bytes that are a part of a larger buffer', async () => {
    const png = await redBlue().png().toBuffer();
    const surrounded = new Uint8Array(png.length + 20).fill(7);
    surrounded.set(png, 10);
    const image = await decodeImage(surrounded.subarray(10, 10 + png.length), LIMITS);
    expect([...image.pixels]).toEqual([255, 0, 0, 0, 0, 255]);
  });

  it('accepts as many pixels as the limit says, and names both numbers beyond', async () => {
    const png = await blank(100, 101).png().toBuffer();
    await expect(decodeImage(png, { ...LIMITS, maxPixels: 10_100 })).resolves.toMatchObject({ width: 100 });
    await expect(decodeImage(png, LIMITS)).rejects.toMatchObject({
      failureClass: 'too_large',
      message: '100 x 101 is 10100 pixels, at most 10000 are decoded; scale it down or raise maxImagePixels',
    });
    await expect(probeImage(png, LIMITS)).rejects.toMatchObject({ failureClass: 'too_large' });
  });

  it.each([
    ['empty', '', 'the file is empty'],
    ['not_an_image', '<!DOCTYPE html>\n<html>', 'no known image format starts with "<!DOCT"'],
    ['not_an_image', '\xff\xd8', 'no known image format starts with ".."'],
    ['unsupported', '<svg width="9" height="9"/>', 'SVG is not decoded; convert it to PNG or JPEG'],
    ['unsupported', '%PDF-1.7', 'PDF is not decoded; convert it to PNG or JPEG'],
    ['truncated', '\xff\xd8\xff', 'the JPEG file ends before its image does; copy it again'],
  ] as const)('fails as %s: %j', async (failureClass, content, message) => {
    const bytes = Buffer.from(content, 'latin1');
    await expect(decodeImage(bytes, LIMITS)).rejects.toMatchObject({ failureClass, message });
    await expect(probeImage(bytes, LIMITS)).rejects.toMatchObject({ failureClass, message });
  });

  it('refuses what is no picture of 8 or 16 bits a sample', async () => {
    await expect(decodeImage(tinyTiff(1, 32, 3), LIMITS)).rejects.toMatchObject({
      failureClass: 'unsupported',
      message: 'TIFF with 1 b-w channels of type float is not decoded; convert it to PNG or JPEG',
    });
    await expect(decodeImage(tinyTiff(1, 8, 1), LIMITS)).resolves.toMatchObject({ width: 1, height: 1 });
  });

  it('calls a whole file with damaged data damaged, and says nothing of the decoder', async () => {
    const png = await blank(20, 20).png({ compressionLevel: 0 }).toBuffer();
    const data = png.indexOf('IDAT') + 4;
    png.fill(0xff, data, data + 20);
    await expect(decodeImage(png, LIMITS)).rejects.toMatchObject({
      failureClass: 'decode_failed',
      message: 'the PNG data is damaged; replace the file',
    });
  });

  it('bears what is wrong with a JPEG but costs no pixels', async () => {
    const jpeg = await blank(16, 16).jpeg().toBuffer();
    const scan = jpeg.indexOf(Buffer.of(0xff, 0xda));
    const withStrayBytes = Buffer.concat([jpeg.subarray(0, scan), Buffer.of(1, 2, 3), jpeg.subarray(scan)]);
    const { pixels } = await decodeImage(withStrayBytes, LIMITS);
    expect(pixels).toEqual(new Uint8Array(16 * 16 * 3).fill(255));
    await expect(decodeImage(Buffer.concat([jpeg, Buffer.alloc(99)]), LIMITS)).resolves.toMatchObject({
      width: 16,
    });
  });
});

describe('the decoder', () => {
  it('offers the formats that it promises', () => {
    expect(decodableFormats()).toEqual(['JPEG', 'PNG', 'WebP', 'TIFF', 'GIF', 'AVIF']);
  });

  it('has no loader of another kind left, and none that opens files', async () => {
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
    await expect(sharp(svg).metadata()).rejects.toThrow('unsupported image format');
    const jpeg = new URL('../../../examples/images/desk/one-card.jpg', import.meta.url);
    await expect(sharp(fileURLToPath(jpeg)).metadata()).rejects.toThrow('unsupported image format');
  });
});
