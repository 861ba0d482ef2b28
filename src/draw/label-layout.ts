import type { ImageSize } from '../vision/geometry.ts';

/** A rectangle of whole pixels; `right` and `bottom` are exclusive. */
export interface PixelRect {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/**
 * Where each label goes, in the order given, which is that of importance. A label sits on its outline's top edge;
 * where that is off the image or over a label placed before, inside the outline at the top, then below it, then inside
 * at the bottom. If all four are taken it covers another label; it never leaves the image that it fits into.
 *
 * `labels` are sizes in pixels, or null for a detection without a label; `outlines` are the boxes as drawn, to the
 * outer edge of a line `lineWidth` pixels wide, which labels above and below share.
 */
export function placeLabels(
  outlines: readonly PixelRect[],
  labels: readonly (ImageSize | null)[],
  lineWidth: number,
  image: ImageSize,
): (PixelRect | null)[] {
  const placed: PixelRect[] = [];
  return labels.map((label, index) => {
    const outline = outlines[index];
    if (!label || !outline) return null;
    const fitting = candidates(outline, label, lineWidth, image);
    const place =
      fitting.find((rect) => !placed.some((other) => overlaps(rect, other, lineWidth))) ?? fitting[0];
    if (!place) return null;
    placed.push(place);
    return place;
  });
}

/** The places inside the image, best first: at least one wherever the label is no larger than the image. */
function candidates(outline: PixelRect, label: ImageSize, lineWidth: number, image: ImageSize): PixelRect[] {
  const left = clamp(outline.left, image.width - label.width);
  const inside = outline.bottom - outline.top >= 2 * label.height;
  const tops = [
    outline.top + lineWidth - label.height,
    ...(inside ? [outline.top] : []),
    outline.bottom - lineWidth,
    ...(inside ? [outline.bottom - label.height] : []),
  ];
  const fitting = tops.filter((top) => top >= 0 && top + label.height <= image.height);
  const chosen = fitting.length > 0 ? fitting : [clamp(outline.top, image.height - label.height)];
  return chosen.map((top) => ({ left, top, right: left + label.width, bottom: top + label.height }));
}

const clamp = (value: number, max: number) => Math.max(0, Math.min(value, max));

/** Two labels may share the height of a line, as those above and inside one outline's top edge do. */
function overlaps(a: PixelRect, b: PixelRect, lineWidth: number): boolean {
  return a.left < b.right && b.left < a.right && a.top + lineWidth < b.bottom && b.top + lineWidth < a.bottom;
}
