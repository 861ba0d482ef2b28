import { type Canvas, createCanvas, ImageData, type SKRSContext2D } from '@napi-rs/canvas';
import type { Detections } from '../vision/detections.ts';
import type { ImageSize, RgbImage } from '../vision/geometry.ts';
import { decodeRle } from '../vision/rle.ts';
import { blendMask, rgbToRgba, type RgbaImage } from './blend.ts';
import { type ClassStyle, styleLookup } from './class-style.ts';
import { parseHexColor, textColorOn } from './color.ts';
import { columnSpans, contourSpans } from './column-spans.ts';
import { drawingSizes, type DrawingSizes } from './drawing-sizes.ts';
import { useLabelFont } from './label-font.ts';
import { type PixelRect, placeLabels } from './label-layout.ts';
import { fitLabel, labelName } from './label-text.ts';

/** 0.3 of 255, rounded down as the tutorials' NumPy code does. */
export const MASK_ALPHA = 76;

/** The rim is not quite opaque, which softens the steps between its pixels. */
const CONTOUR_ALPHA = 200;

/** What is drawn of one detection. */
interface Item {
  readonly index: number;
  readonly style: ClassStyle;
  readonly outline: PixelRect;
}

interface Label {
  readonly text: string;
  readonly color: string;
  readonly height: number;
  readonly width: number;
}

/**
 * The image with its detections drawn on it: all masks, then all boxes, then all labels, each from the worst detection
 * to the best, so that the best is on top. The canvas has the image's size, is opaque, and is the same for the same
 * input on every machine of one architecture. Detections of a score below `minScore` are not drawn.
 *
 * @throws Error when the package's font is missing.
 */
export function drawAnnotations(
  image: RgbImage,
  detections: Detections,
  styles: readonly ClassStyle[],
  minScore = 0,
): Canvas {
  const styleOf = styleLookup(styles);
  const sizes = drawingSizes(image);
  const items = Array.from(detections.scores.keys())
    .filter((index) => detections.scores[index]! >= Math.fround(minScore))
    .map((index) => ({
      index,
      style: styleOf(detections.labels[index]!),
      outline: outlineRect(detections.boxesXyxy.subarray(index * 4, index * 4 + 4), sizes, image),
    }));
  const bestLast = items.toReversed();

  const rgba = rgbToRgba(image);
  for (const item of bestLast) drawMask(rgba, detections, item, sizes);

  const canvas = createCanvas(image.width, image.height);
  const context = canvas.getContext('2d');
  context.putImageData(new ImageData(rgba.pixels, image.width, image.height), 0, 0);
  for (const { style, outline } of bestLast) drawOutline(context, outline, style.color, sizes);
  drawLabels(context, items, detections.scores, sizes, image);
  return canvas;
}

function drawMask(rgba: RgbaImage, { masks }: Detections, { index, style }: Item, sizes: DrawingSizes): void {
  const mask = masks?.[index];
  if (!mask) return;
  const spans = columnSpans(decodeRle(mask.counts), rgba.height);
  const color = parseHexColor(style.color);
  blendMask(rgba, spans, color, MASK_ALPHA);
  blendMask(rgba, contourSpans(spans, sizes.contourWidthPx), color, CONTOUR_ALPHA);
}

/** The outer edge of a box's outline, whose line lies astride the box's edge but never off the image. */
function outlineRect(boxXyxy: Float32Array, { lineWidthPx }: DrawingSizes, image: ImageSize): PixelRect {
  const outset = Math.floor(lineWidthPx / 2);
  const [x1, y1, x2, y2] = boxXyxy;
  const left = clamp(Math.round(x1!) - outset, 0, image.width - 1);
  const top = clamp(Math.round(y1!) - outset, 0, image.height - 1);
  return {
    left,
    top,
    right: clamp(Math.round(x2!) + outset, left + 1, image.width),
    bottom: clamp(Math.round(y2!) + outset, top + 1, image.height),
  };
}

function drawOutline(
  context: SKRSContext2D,
  { left, top, right, bottom }: PixelRect,
  color: string,
  { lineWidthPx }: DrawingSizes,
): void {
  const width = right - left;
  const height = bottom - top;
  const across = Math.min(lineWidthPx, width);
  const down = Math.min(lineWidthPx, height);
  // Whole pixels, filled rather than stroked: no blurred edges.
  context.fillStyle = color;
  context.fillRect(left, top, width, down);
  context.fillRect(left, bottom - down, width, down);
  context.fillRect(left, top, across, height);
  context.fillRect(right - across, top, across, height);
}

function drawLabels(
  context: SKRSContext2D,
  items: readonly Item[],
  scores: Float32Array,
  sizes: DrawingSizes,
  image: ImageSize,
): void {
  const covers = useLabelFont(context, sizes.fontSizePx);
  const maxWidth = image.width - 2 * sizes.labelPaddingPx;
  const measure = (text: string) => context.measureText(text).width;
  const labels = items.map(({ index, style }): Label | null => {
    if (sizes.labelHeightPx * 2 > image.height) return null;
    const text = fitLabel(labelName(style.name, covers), scores[index]!, maxWidth, measure);
    if (text === null) return null;
    const width = Math.ceil(measure(text)) + 2 * sizes.labelPaddingPx;
    return { text, color: style.color, height: sizes.labelHeightPx, width };
  });
  const places = placeLabels(
    items.map((item) => item.outline),
    labels,
    sizes.lineWidthPx,
    image,
  );
  for (const [index, label] of [...labels.entries()].toReversed()) {
    const place = places[index];
    if (label && place) drawLabel(context, label, place, sizes);
  }
}

function drawLabel(context: SKRSContext2D, label: Label, place: PixelRect, sizes: DrawingSizes): void {
  context.fillStyle = label.color;
  context.fillRect(place.left, place.top, label.width, label.height);
  context.fillStyle = textColorOn(label.color);
  context.fillText(label.text, place.left + sizes.labelPaddingPx, place.top + sizes.baselinePx);
}

const clamp = (value: number, min: number, max: number) => Math.max(min, Math.min(value, max));
