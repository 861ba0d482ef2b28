import type { ImageSize } from '../vision/geometry.ts';

/** Line widths and label measures for one image, in whole pixels. */
export interface DrawingSizes {
  readonly lineWidthPx: number;
  readonly contourWidthPx: number;
  readonly fontSizePx: number;
  readonly labelHeightPx: number;
  /** Left and right of a label's text. */
  readonly labelPaddingPx: number;
  /** From a label's top down to the line that its letters stand on. */
  readonly baselinePx: number;
}

/** The diagonal for which the widths below are given; they grow and shrink with it. */
const REFERENCE_DIAGONAL_PX = 1000;

/** Smaller letters are hard to read, and JPEG smears them. */
const MIN_FONT_SIZE_PX = 12;

/** Of the bundled font, in units of its size. */
const CAP_HEIGHT = 0.711;

/** Leaves room for descenders below and for the dots of capital umlauts above. */
const LABEL_HEIGHT = 1.3;

/** Sizes that look alike on every image: in proportion to the diagonal, with legible minimums. */
export function drawingSizes({ height, width }: ImageSize): DrawingSizes {
  const scale = Math.hypot(height, width) / REFERENCE_DIAGONAL_PX;
  const fontSizePx = Math.max(MIN_FONT_SIZE_PX, Math.round(18 * scale));
  const labelHeightPx = Math.ceil(LABEL_HEIGHT * fontSizePx);
  return {
    lineWidthPx: Math.max(2, Math.round(2.5 * scale)),
    contourWidthPx: Math.max(1, Math.round(1.5 * scale)),
    fontSizePx,
    labelHeightPx,
    labelPaddingPx: Math.round(0.3 * fontSizePx),
    baselinePx: Math.round((labelHeightPx + CAP_HEIGHT * fontSizePx) / 2),
  };
}
