import { describe, expect, it } from 'vitest';
import { cmykToRgb } from '../../../src/shard/decode-cmyk.ts';

describe('cmykToRgb', () => {
  it('takes ink away from white', () => {
    const [paper, cyan, magenta, yellow, black, everything] = [
      [0, 0, 0, 0],
      [255, 0, 0, 0],
      [0, 255, 0, 0],
      [0, 0, 255, 0],
      [0, 0, 0, 255],
      [255, 255, 255, 255],
    ];
    const inks = [paper, cyan, magenta, yellow, black, everything].flatMap((ink) => ink ?? []);
    expect([...cmykToRgb(Uint8Array.from(inks))]).toEqual(
      [
        [255, 255, 255],
        [0, 255, 255],
        [255, 0, 255],
        [255, 255, 0],
        [0, 0, 0],
        [0, 0, 0],
      ].flat(),
    );
  });

  it('multiplies colour with what black leaves, rounded to nearest', () => {
    // 255 - 55 = 200 remain; 200 - 200 * 51 / 255 = 160; 200 * 100 / 255 = 78.43; 200 * 102 / 255 = 80
    expect([...cmykToRgb(Uint8Array.of(51, 100, 102, 55))]).toEqual([160, 122, 120]);
  });

  it('is exact: each product is the quotient by 255, rounded', () => {
    const values = Uint8Array.from({ length: 256 }, (_, value) => value);
    for (const black of values) {
      const inks = Uint8Array.from([...values].flatMap((ink) => [ink, 0, 0, black]));
      const reds = [...values].map((ink) => 255 - black - Math.round((ink * (255 - black)) / 255));
      expect([...cmykToRgb(inks)].filter((_, index) => index % 3 === 0)).toEqual(reds);
    }
  });

  it('converts no pixels to none', () => {
    expect(cmykToRgb(new Uint8Array(0))).toHaveLength(0);
  });
});
