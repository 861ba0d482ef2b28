/** Colours are sRGB, as CSS writes them: `#rrggbb`. */

export type Rgb = readonly [red: number, green: number, blue: number];

/** The three bytes of `#rrggbb`. */
export function parseHexColor(color: string): Rgb {
  if (!/^#[0-9a-f]{6}$/i.test(color)) throw new RangeError(`not a colour as "#rrggbb": "${color}"`);
  const value = Number.parseInt(color.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/**
 * 20 colours for classes without one, for use by index. Each from the ninth on is the colour farthest, in OKLab, from
 * all before it, among those light and saturated enough to be seen on a photograph (L 0.60 to 0.88, chroma over 0.11).
 */
const PALETTE = [
  '#ff7f0e',
  '#1e90ff',
  '#2ecc40',
  '#c828be',
  '#ffdc00',
  '#39d7e1',
  '#ff4136',
  '#a55fff',
  '#f8a8f0',
  '#808830',
  '#c878a0',
  '#68f8a0',
  '#c0b020',
  '#10a8a0',
  '#f068f0',
  '#a0a0f0',
  '#c06828',
  '#f840a0',
  '#8078c8',
  '#10a010',
] as const;

/** The default colour of the class at `index` (0, 1, ...); repeats after 20. */
export function paletteColor(index: number): string {
  const { length } = PALETTE;
  return PALETTE[((index % length) + length) % length] ?? PALETTE[0];
}

/** Relative luminance of WCAG 2.2, 0 (black) to 1 (white): linear light, weighted as the eye sees it. */
export function relativeLuminance(color: string): number {
  const [red, green, blue] = parseHexColor(color).map(toLinear);
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

function toLinear(channel: number): number {
  const value = channel / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

/**
 * Black or white, whichever has the greater contrast, (L1 + 0.05) / (L2 + 0.05), on `background`. The mean of the three
 * channels would not do: it rates pure green as dark as pure blue, though green is ten times as bright.
 */
export function textColorOn(background: string): '#000000' | '#ffffff' {
  const luminance = relativeLuminance(background) + 0.05;
  return luminance / 0.05 > 1.05 / luminance ? '#000000' : '#ffffff';
}
