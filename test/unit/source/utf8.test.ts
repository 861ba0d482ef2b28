import { describe, expect, it } from 'vitest';
import { readLines, readText } from '../../../src/source/utf8.ts';
import { collect } from '../storage/collect.ts';

/** A text in pieces of `size` bytes: cut within characters and line ends. */
async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}
const linesOf = (bytes: Uint8Array, size = 3) => collect(readLines(pieces(bytes, size), 'list.txt'));

describe('readLines', () => {
  it.each([1, 2, 3, 100])('reads lines that come in pieces of %i bytes', async (size) => {
    const text = '\ufeffüa\r\n\nb \u{1f600}\n\rc\nlast';
    expect(await linesOf(Buffer.from(text), size)).toEqual(
      ['üa', '', 'b \u{1f600}', '\rc', 'last'].map((text, index) => ({ number: index + 1, text })),
    );
  });

  it('makes no line of the end', async () => {
    expect(await linesOf(Buffer.from('a\n'))).toEqual([{ number: 1, text: 'a' }]);
    expect(await linesOf(Buffer.from(''))).toEqual([]);
  });

  it('names a line that is not UTF-8', async () => {
    await expect(linesOf(Buffer.from([0x61, 0x0a, 0x62, 0xff, 0x0a]))).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      message: 'list.txt line 2 is not UTF-8.',
    });
  });

  it('does not take in a line without an end', async () => {
    let asked = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a\n');
      for (;;) {
        asked += 1;
        yield Buffer.alloc(30_000, 0x61);
      }
    }
    await expect(collect(readLines(endless(), 'list.txt'))).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      message: 'list.txt line 2 has more than 65536 bytes.',
    });
    expect(asked).toBe(3);
  });
});

describe('readText', () => {
  it('joins characters that come in pieces, without the byte-order mark', async () => {
    const chunks = await collect(readText(pieces(Buffer.from('\ufeffaü\u{1f600}'), 1), 'coco.json'));
    expect(chunks.join('')).toBe('aü\u{1f600}');
  });

  it.each([
    ['in the middle', [0x61, 0xff, 0x61]],
    ['at the end', [0x61, 0xc3]],
  ])('refuses what is no UTF-8 %s', async (_, bytes) => {
    await expect(collect(readText(pieces(Buffer.from(bytes), 1), 'coco.json'))).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      message: 'coco.json is not UTF-8.',
    });
  });
});
