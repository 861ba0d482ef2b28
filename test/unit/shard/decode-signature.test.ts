import { describe, expect, it } from 'vitest';
import { readSignature } from '../../../src/shard/decode-signature.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const box = (brands: string): string => `\0\0\0\x20ftyp${brands}`;

describe('readSignature', () => {
  it.each([
    ['JPEG', '\xff\xd8\xff\xe0\0\x10JFIF'],
    ['PNG', '\x89PNG\r\n\x1a\n\0\0\0\rIHDR'],
    ['WebP', 'RIFF\x24\0\0\0WEBPVP8 '],
    ['TIFF', 'II*\0\x08\0\0\0'],
    ['TIFF', 'MM\0*\0\0\0\x08'],
    ['TIFF', 'II+\0\x08\0\0\0'],
    ['GIF', 'GIF87a\x01\0'],
    ['GIF', 'GIF89a\x01\0'],
    ['AVIF', box('avif\0\0\0\0avifmif1')],
    ['AVIF', box('avis\0\0\0\0')],
    ['AVIF', box('mif1\0\0\0\0mif1miafavif')],
  ])('knows %s', (format, start) => {
    expect(readSignature(bytes(start))).toEqual({ kind: 'decodable', format });
  });

  it.each([
    ['HEIC', box('heic\0\0\0\0mif1heic')],
    ['HEIC', box('mif1\0\0\0\0mif1heic')],
    ['JPEG 2000', '\0\0\0\x0cjP  \r\n\x87\n'],
    ['JPEG 2000', '\xff\x4f\xff\x51\0'],
    ['JPEG XL', '\xff\x0a\0'],
    ['JPEG XL', '\0\0\0\x0cJXL \r\n\x87\n'],
    ['BMP', 'BM\x36\x24\0\0\0\0\0\0\x36'],
    ['SVG', '<svg xmlns="http://www.w3.org/2000/svg"/>'],
    ['SVG', '\xef\xbb\xbf<?xml version="1.0"?>\n<!-- drawn by hand -->\n<svg width="1">'],
    ['PDF', '%PDF-1.7\n'],
    ['Photoshop', '8BPS\0\x01'],
    ['OpenEXR', 'v/1\x01\x02'],
    ['Radiance HDR', '#?RADIANCE\n'],
    ['icon', '\0\0\x01\0\x01\0\x10\x10'],
    ['PNM', 'P6\n640 480\n255\n'],
    ['DDS', 'DDS |\0\0\0'],
    ['QOI', 'qoif\0\0\0\x01'],
  ])('knows %s, which is not decoded', (name, start) => {
    expect(readSignature(bytes(start))).toEqual({ kind: 'unsupported', name });
  });

  it.each([
    ['nothing', ''],
    ['a part of a signature', '\xff\xd8'],
    ['text', 'A text.'],
    ['a web page', '<!DOCTYPE html><html><body>404</body></html>'],
    ['a document without a picture', '<?xml version="1.0"?><note/>'],
    ['sound', 'RIFF\x24\0\0\0WAVEfmt '],
    ['a film', box('isom\0\0\0\0isomavc1')],
    ['zeros', '\0'.repeat(64)],
  ])('does not take %s for an image', (_, start) => {
    expect(readSignature(bytes(start))).toEqual({ kind: 'unknown' });
  });

  it('reads a view into a larger buffer from its own beginning', () => {
    expect(readSignature(bytes('....GIF89a').subarray(4))).toEqual({ kind: 'decodable', format: 'GIF' });
  });
});
