import { readFileSync } from 'node:fs';
import { createCanvas } from '@napi-rs/canvas';
import { describe, expect, it } from 'vitest';
import { fontCoverage } from '../../../src/draw/font-coverage.ts';
import { measureLabel, useLabelFont } from '../../../src/draw/label-font.ts';

const FONT = new URL('../../../assets/fonts/Roboto-Medium.ttf', import.meta.url);

/** The pixels of one character, 40 px high, black on transparent. */
function glyph(character: string): Uint8ClampedArray {
  const context = createCanvas(64, 64).getContext('2d');
  useLabelFont(context, 40);
  context.fillText(character, 8, 48);
  return context.getImageData(0, 0, 64, 64).data;
}

const ink = (pixels: Uint8ClampedArray) => pixels.reduce((sum, value) => sum + value, 0);

describe('measureLabel', () => {
  it.each([
    ['i', 524],
    ['m', 1783],
    ['Ä', 1363],
    ['%', 1504],
    ['', 0],
  ])("gives the advance width of %j in the file's hmtx table, in 2048ths of the size", (text, advance) => {
    expect(measureLabel(text, 2048)).toBe(advance);
  });
});

describe('useLabelFont', () => {
  const covers = useLabelFont(createCanvas(1, 1).getContext('2d'), 12);

  it.each(Array.from('äöüÄÖÜßéñłØžΩЖ…%\uFFFD'))('draws %s, no empty box', (character) => {
    const pixels = glyph(character);
    expect(covers(character.codePointAt(0)!)).toBe(true);
    expect(ink(pixels)).toBeGreaterThan(0);
    // U+FFFD has a glyph of its own; a private-use character has none, and shows what a missing one looks like.
    expect(pixels).not.toEqual(glyph('\uE8FF'));
  });

  it('draws the umlaut of ü as u with something above', () => {
    const [plain, umlaut] = [glyph('u'), glyph('ü')];
    const below = 64 * 4 * 26;
    expect(umlaut.subarray(below)).toEqual(plain.subarray(below));
    expect(ink(umlaut.subarray(0, below))).toBeGreaterThan(ink(plain.subarray(0, below)));
  });
});

describe('fontCoverage', () => {
  const covers = fontCoverage(readFileSync(FONT));

  const coverageOf = (text: string) => Array.from(text, (character) => covers(character.codePointAt(0)!));

  it('knows what the font has', () => {
    expect(coverageOf('aZ0 ß€ẞ')).not.toContain(false);
    expect(coverageOf('日ا猫😀\uE8FF')).not.toContain(true);
  });

  it('counts as many characters as the font has', () => {
    const count = Array.from({ length: 0x110000 }, (_, codePoint) => covers(codePoint)).filter(
      Boolean,
    ).length;
    expect(count).toBe(2769);
  });

  it('refuses what is no such font', () => {
    expect(() => fontCoverage(new Uint8Array(64))).toThrow('no "cmap" table');
  });
});
