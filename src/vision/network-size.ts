/** How large an image goes into the network, and how far it is padded. Sizes in whole pixels. */
import type { ImageSize } from './geometry.ts';

type Rounding = 'floor' | 'round';

export type ResizePolicy =
  | { readonly policy: 'none' }
  | { readonly policy: 'fixed'; readonly height: number; readonly width: number }
  | {
      /** As large as fits into `height` x `width`. */
      readonly policy: 'keep-ratio';
      readonly height: number;
      readonly width: number;
      readonly rounding: Rounding;
    }
  | {
      /** The shorter edge becomes `size`, or less where the longer one would exceed `max`. */
      readonly policy: 'shortest-edge';
      readonly size: number;
      readonly max: number;
      readonly rounding: Rounding;
    }
  | { readonly policy: 'longest-edge'; readonly size: number; readonly rounding: Rounding };

/**
 * The size that an image is resized to; no side falls below one pixel. In doubles, as the frameworks: `floor` is
 * torchvision's `GeneralizedRCNNTransform` run eagerly, `round` mmcv's `rescale_size` (whose `(1333, 800)` is
 * `shortest-edge`, `size` 800, `max` 1333).
 */
export function networkSize(image: ImageSize, resize: ResizePolicy): ImageSize {
  const shorter = Math.min(image.height, image.width);
  const longer = Math.max(image.height, image.width);
  switch (resize.policy) {
    case 'none':
      return { height: image.height, width: image.width };
    case 'fixed':
      return { height: resize.height, width: resize.width };
    case 'keep-ratio': {
      const scale = Math.min(resize.height / image.height, resize.width / image.width);
      return scaled(image, scale, resize.rounding);
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

/** The shape that a resized image is padded to. @throws RangeError where no shape of the ladder holds it. */
export function paddedSize({ height, width }: ImageSize, { divisor, ladder }: PadPolicy): ImageSize {
  if (ladder === 'exact') {
    const up = (side: number): number => Math.ceil(side / divisor) * divisor;
    return { height: up(height), width: up(width) };
  }
  const holding = ladder.filter(([h, w]) => h >= height && w >= width);
  const [smallest] = holding.toSorted((a, b) => a[0] * a[1] - b[0] * b[1]);
  if (smallest) return { height: smallest[0], width: smallest[1] };
  const shapes = ladder.map(([h, w]) => `${h}x${w}`).join(', ');
  throw new RangeError(`an image of ${height}x${width} fits no shape of the ladder (${shapes})`);
}
