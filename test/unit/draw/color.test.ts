import { describe, expect, it } from 'vitest';
import { paletteColor, parseHexColor, relativeLuminance, textColorOn } from '../../../src/draw/color.ts';

describe('parseHexColor', () => {
  it('gives the three channels', () => {
    expect(parseHexColor('#ff7f0e')).toEqual([255, 127, 14]);
    expect(parseHexColor('#00FF0a')).toEqual([0, 255, 10]);
  });

  it.each(['ff7f0e', '#ff7f0', '#ff7f0ee', '#gg0000', 'red', ''])('refuses "%s"', (color) => {
    expect(() => parseHexColor(color)).toThrow('not a colour');
  });
});

describe('relativeLuminance', () => {
  it.each([
    ['#000000', 0],
    ['#ff0000', 0.2126],
    ['#00ff00', 0.7152],
    ['#0000ff', 0.0722],
    ['#808080', 0.2159],
    ['#ffffff', 1],
  ])('of %s is %d', (color, luminance) => {
    expect(relativeLuminance(color)).toBeCloseTo(luminance, 4);
  });
});

describe('textColorOn', () => {
  it.each([
    ['#ffffff', '#000000'],
    ['#000000', '#ffffff'],
    ['#0000ff', '#ffffff'],
    ['#00ff00', '#000000'],
    ['#800000', '#ffffff'],
    ['#ff7f0e', '#000000'],
    // The two greys between which the better contrast changes sides.
    ['#767676', '#000000'],
    ['#757575', '#ffffff'],
  ])('on %s is %s', (background, text) => {
    expect(textColorOn(background)).toBe(text);
  });
});

describe('paletteColor', () => {
  const palette = Array.from({ length: 20 }, (_, index) => paletteColor(index));

  it('is a fixed colour for each index, and repeats after 20', () => {
    expect(paletteColor(0)).toBe('#ff7f0e');
    expect(paletteColor(20)).toBe(paletteColor(0));
    expect(paletteColor(-1)).toBe(paletteColor(19));
  });

  it('keeps any two colours well apart', () => {
    const distances = palette.flatMap((a, index) =>
      palette.slice(index + 1).map((b) => Math.hypot(...subtract(oklab(a), oklab(b)))),
    );
    expect(Math.min(...distances)).toBeGreaterThan(0.1);
  });
});

const dot = (row: readonly number[], vector: readonly number[]) =>
  row.reduce((sum, weight, index) => sum + weight * vector[index]!, 0);

const subtract = (a: readonly number[], b: readonly number[]) => a.map((value, index) => value - b[index]!);

/** Ottosson's OKLab, in which distances are about as large as they look. */
function oklab(color: string): readonly number[] {
  const rgb = parseHexColor(color).map((channel) => {
    const value = channel / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  const cones = [
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
  ].map((row) => Math.cbrt(dot(row, rgb)));
  return [
    [0.2104542553, 0.793617785, -0.0040720468],
    [1.9779984951, -2.428592205, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.808675766],
  ].map((row) => dot(row, cones));
}
