import type { ImageSize } from '../vision/geometry.ts';
import type { Rgb } from './color.ts';
import type { ColumnSpans } from './column-spans.ts';

/** Pixels of one image, row by row, R G B A interleaved: `height * width * 4` bytes. */
export interface RgbaImage extends ImageSize {
  readonly pixels: Uint8ClampedArray;
}

/** An opaque copy. */
export function rgbToRgba(image: ImageSize & { readonly pixels: Uint8Array }): RgbaImage {
  const { height, width, pixels: rgb } = image;
  const pixels = new Uint8ClampedArray(height * width * 4);
  for (let from = 0, to = 0; to < pixels.length; from += 3, to += 4) {
    pixels[to] = rgb[from]!;
    pixels[to + 1] = rgb[from + 1]!;
    pixels[to + 2] = rgb[from + 2]!;
    pixels[to + 3] = 255;
  }
  return { height, width, pixels };
}

/** Blends `color` into the image, in place, where the mask is set. `alpha` is 0 (nothing) to 255 (opaque). */
export function blendMask(image: RgbaImage, mask: ColumnSpans, color: Rgb, alpha: number): void {
  const { pixels, width } = image;
  const red = blendTable(color[0], alpha);
  const green = blendTable(color[1], alpha);
  const blue = blendTable(color[2], alpha);
  for (const [column, spans] of mask.columns.entries()) {
    const x = mask.left + column;
    for (let index = 0; index < spans.length; index += 2) {
      const end = (spans[index + 1]! * width + x) * 4;
      for (let at = (spans[index]! * width + x) * 4; at < end; at += width * 4) {
        pixels[at] = red[pixels[at]!]!;
        pixels[at + 1] = green[pixels[at + 1]!]!;
        pixels[at + 2] = blue[pixels[at + 2]!]!;
      }
    }
  }
}

/** What each value of one channel becomes: Pillow's `Image.paste` with a mask, in its integer arithmetic (Paste.c). */
function blendTable(value: number, alpha: number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, background) => {
    const sum = background * (255 - alpha) + value * alpha + 128;
    return ((sum >> 8) + sum) >> 8;
  });
}
