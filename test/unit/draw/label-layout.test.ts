import { describe, expect, it } from 'vitest';
import { type PixelRect, placeLabels } from '../../../src/draw/label-layout.ts';

const image = { height: 100, width: 200 };
const label = { height: 10, width: 40 };
const LINE = 2;

const rect = (left: number, top: number, right: number, bottom: number): PixelRect => ({
  left,
  top,
  right,
  bottom,
});
const placeOne = (outline: PixelRect, size = label) => placeLabels([outline], [size], LINE, image)[0];

describe('placeLabels', () => {
  it('puts a label on the top edge of its outline, over the line', () => {
    expect(placeOne(rect(50, 40, 120, 80))).toEqual(rect(50, 32, 90, 42));
  });

  it('puts it inside where there is no room above', () => {
    expect(placeOne(rect(50, 3, 120, 80))).toEqual(rect(50, 3, 90, 13));
  });

  it('puts it below where there is no room above nor inside', () => {
    expect(placeOne(rect(50, 3, 120, 15))).toEqual(rect(50, 13, 90, 23));
  });

  it.each([
    ['top left', rect(0, 0, 20, 30)],
    ['top right', rect(180, 0, 200, 30)],
    ['bottom left', rect(0, 70, 20, 100)],
    ['bottom right', rect(180, 70, 200, 100)],
    ['a point at the top right', rect(199, 0, 200, 1)],
    ['a point at the bottom left', rect(0, 99, 1, 100)],
    ['the whole image', rect(0, 0, 200, 100)],
  ])('keeps it inside the image: %s', (_, outline) => {
    const place = placeOne(outline)!;
    expect(place.left).toBeGreaterThanOrEqual(0);
    expect(place.top).toBeGreaterThanOrEqual(0);
    expect(place.right).toBeLessThanOrEqual(image.width);
    expect(place.bottom).toBeLessThanOrEqual(image.height);
    expect([place.right - place.left, place.bottom - place.top]).toEqual([label.width, label.height]);
  });

  it('keeps it inside an image that has no room above, inside or below', () => {
    expect(placeOne(rect(0, 2, 200, 98), { height: 60, width: 40 })).toEqual(rect(0, 2, 40, 62));
  });

  it('moves a label off those placed before it, as long as there is a place', () => {
    const outlines = Array.from({ length: 5 }, () => rect(50, 40, 120, 80));
    const places = placeLabels(
      outlines,
      Array.from({ length: 5 }, () => label),
      LINE,
      image,
    );
    expect(places.map((place) => place?.top)).toEqual([32, 40, 78, 70, 32]);
  });

  it('places nothing for a detection without a label', () => {
    expect(placeLabels([rect(0, 0, 9, 9)], [null], LINE, image)).toEqual([null]);
    expect(placeLabels([], [], LINE, image)).toEqual([]);
  });
});
