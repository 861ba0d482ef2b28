import type { Canvas } from '@napi-rs/canvas';
import type { Detections } from '../vision/detections.ts';
import type { RgbImage } from '../vision/geometry.ts';
import type { ClassStyle } from './class-style.ts';
import { drawAnnotations } from './draw-annotations.ts';

export type { ClassStyle } from './class-style.ts';

const JPEG_QUALITY = 90;

/**
 * An image with its detections drawn on it, as the bytes of a JPEG file. Detections of a score below `minScore`, 0..1,
 * are not drawn. Synchronous: meant for a thread of a pool.
 *
 * @throws Error when the package's font is missing.
 */
export function annotateImage(
  image: RgbImage,
  detections: Detections,
  styles: readonly ClassStyle[],
  minScore = 0,
): Uint8Array {
  return encodeJpeg(drawAnnotations(image, detections, styles, minScore));
}

/** Baseline JPEG, sRGB, 4:2:0; in a buffer of its own, since canvas's cannot be transferred to another thread. */
export function encodeJpeg(canvas: Canvas): Uint8Array<ArrayBuffer> {
  return new Uint8Array(canvas.encodeSync('jpeg', JPEG_QUALITY));
}
