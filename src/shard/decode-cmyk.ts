/**
 * CMYK to RGB as Pillow's `Image.convert('RGB')` does it (`cmyk2rgb` in Convert.c), without a profile: the ink left over
 * by black, minus the product with each colour, in its fixed-point arithmetic.
 *
 * @param cmyk [H * W, 4] amounts of ink, 0 none to 255 full.
 * @returns [H * W, 3]
 */
export function cmykToRgb(cmyk: Uint8Array): Uint8Array<ArrayBuffer> {
  const pixels = cmyk.length / 4;
  const rgb = new Uint8Array(pixels * 3);
  for (let pixel = 0, from = 0, to = 0; pixel < pixels; pixel++, from += 4, to += 3) {
    const light = 255 - cmyk[from + 3]!;
    rgb[to] = light - divideBy255(cmyk[from]! * light);
    rgb[to + 1] = light - divideBy255(cmyk[from + 1]! * light);
    rgb[to + 2] = light - divideBy255(cmyk[from + 2]! * light);
  }
  return rgb;
}

/** Pillow's MULDIV255: the quotient rounded to nearest, for 0 <= value <= 255 * 255. */
function divideBy255(value: number): number {
  const rounded = value + 128;
  return ((rounded >> 8) + rounded) >> 8;
}
