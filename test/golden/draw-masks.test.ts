import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { blendMask, rgbToRgba } from '../../src/draw/blend.ts';
import { parseHexColor } from '../../src/draw/color.ts';
import { columnSpans } from '../../src/draw/column-spans.ts';
import { MASK_ALPHA } from '../../src/draw/draw-annotations.ts';
import { decodeRle } from '../../src/vision/rle.ts';

const base64 = z.string().transform((text) => new Uint8Array(Buffer.from(text, 'base64')));
const cases = z
  .array(
    z.strictObject({
      height: z.int(),
      width: z.int(),
      pixels: base64,
      colors: z.array(z.string()),
      counts: z.array(z.string()),
      drawn: base64,
    }),
  )
  .parse(JSON.parse(readFileSync(new URL('data/draw-masks.json', import.meta.url), 'utf8')));

describe('masks are blended as Pillow blends them', () => {
  it.each(cases)('$width x $height, colours $colors', ({ colors, counts, drawn, ...image }) => {
    const rgba = rgbToRgba(image);
    for (const [index, rle] of counts.entries()) {
      blendMask(rgba, columnSpans(decodeRle(rle), image.height), parseHexColor(colors[index]!), MASK_ALPHA);
    }
    const rgb = rgba.pixels.filter((_, index) => index % 4 !== 3);
    expect(rgb).toEqual(Uint8ClampedArray.from(drawn));
  });
});
