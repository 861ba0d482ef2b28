import { describe, expect, it } from 'vitest';
import { drawingSizes } from '../../../src/draw/drawing-sizes.ts';

describe('drawingSizes', () => {
  it.each([
    // height, width, line, font
    [600, 800, 3, 18],
    [800, 600, 3, 18],
    [1200, 1600, 5, 36],
    [3000, 4000, 13, 90],
  ])('scales with the diagonal: %d x %d', (height, width, lineWidthPx, fontSizePx) => {
    expect(drawingSizes({ height, width })).toMatchObject({ lineWidthPx, fontSizePx });
  });

  it('keeps lines and letters legible on small images', () => {
    expect(drawingSizes({ height: 1, width: 1 })).toMatchObject({
      lineWidthPx: 2,
      contourWidthPx: 1,
      fontSizePx: 12,
    });
  });

  it.each([1, 480, 3000])('has room above the capitals and below the letters, %d pixels high', (height) => {
    const { baselinePx, fontSizePx, labelHeightPx } = drawingSizes({ height, width: height });
    // Of the bundled font: Ä reaches 1795/2048 above the line, y 437/2048 below it.
    expect(baselinePx).toBeGreaterThanOrEqual((1795 / 2048) * fontSizePx);
    expect(labelHeightPx - baselinePx).toBeGreaterThanOrEqual((437 / 2048) * fontSizePx);
  });
});
