/** How large an image goes into the network, and how far it is padded. Sizes in whole pixels. */
import type { ImageSize } from './geometry.ts';

type Rounding = 'floor' | 'round';

export type ResizePolicy =
  | { readonly policy: 'none' }
  | { readonly policy: 'fixed'; readonly height: number; readonly width: number }
  | {
      readonly policy: 'keep-ratio';
      readonly height: number;
      readonly width: number;
      readonly rounding: Rounding;
    }
  | {
      readonly policy: 'shortest-edge';
      readonly size: number;
      readonly max: number;
      readonly rounding: Rounding;
    }
  | { readonly policy: 'longest-edge'; readonly size: number; readonly rounding: Rounding };

/**
 * The size that an image is resized to. `floor` is torchvision's (`GeneralizedRCNNTransform`, in doubles as its eager
 * code), `round` mmcv's and detectron2's `int(x + 0.5)`. No side falls below one pixel.
 */
export function networkSize(image: ImageSize, resize: ResizePolicy): ImageSize {
  const { height, width } = image;
  const [shorter, longer] = [Math.min(height, width), Math.max(height, width)];
  switch (resize.policy) {
    case 'none':
      return { height, width };
    case 'fixed':
      return { height: resize.height, width: resize.width };
    case 'keep-ratio': {
      const [long, short] = [Math.max(resize.height, resize.width), Math.min(resize.height, resize.width)];
      return scaled(image, Math.min(long / longer, short / shorter), resize.rounding);
    }
    case 'shortest-edge':
      return scaled(image, Math.min(resize.size / shorter, resize.max / longer), resize.rounding);
    case 'longest-edge':
      return scaled(image, resize.size / longer, resize.rounding);
  }
}

function scaled({ height, width }: ImageSize, scale: number, rounding: Rounding): ImageSize {
  const offset = rounding === 'round' ? 0.5 : 0;
  const side = (pixels: number): number => Math.max(1, Math.floor(pixels * scale + offset));
  return { height: side(height), width: side(width) };
}

export interface PadPolicy {
  readonly divisor: number;
  /** `exact`: up to the divisor; else the smallest of these [height, width] that holds the image. */
  readonly ladder: 'exact' | readonly (readonly [number, number])[];
}

/** @throws RangeError where no shape of the ladder holds the image. */
export function paddedSize({ height, width }: ImageSize, { divisor, ladder }: PadPolicy): ImageSize {
  if (ladder === 'exact') {
    const up = (side: number): number => Math.ceil(side / divisor) * divisor;
    return { height: up(height), width: up(width) };
  }
  const fitting = ladder.filter(([h, w]) => h >= height && w >= width);
  const smallest = fitting.toSorted((a, b) => a[0] * a[1] - b[0] * b[1])[0];
  if (smallest) return { height: smallest[0], width: smallest[1] };
  const shapes = ladder.map(([h, w]) => `${h}x${w}`).join(', ');
  throw new RangeError(`an image of ${height}x${width} fits no shape of the ladder (${shapes})`);
}
