import type { ModelManifest } from '../model/manifest.ts';
import type { RawDetections } from '../model/contracts/contract.ts';
import type { Detections, EncodedMask } from '../vision/detections.ts';
import { scaleBoxes } from '../vision/boxes.ts';
import type { ImageSize } from '../vision/geometry.ts';
import { pasteMask } from '../vision/paste.ts';
import { encodeResizedMask } from '../vision/resize-mask.ts';

/** How one image went into the network. */
export interface ImageGeometry {
  readonly original: ImageSize;
  /** After resizing, without padding. */
  readonly resized: ImageSize;
}

/**
 * Raw outputs of one image to detections in the original image's pixels. Masks go from the model's grid to the original
 * image in one interpolation, straight into run lengths.
 */
export function interpret(
  raw: RawDetections,
  geometry: ImageGeometry,
  manifest: Pick<ModelManifest, 'boxes' | 'masks'>,
): Detections {
  const boxesXyxy =
    manifest.boxes.frame === 'input'
      ? scaleBoxes(raw.boxesXyxy, geometry.resized, geometry.original)
      : raw.boxesXyxy;
  const detections = { boxesXyxy, labels: raw.labels, scores: raw.scores };
  if (!raw.masks || !manifest.masks) return detections;
  return { ...detections, masks: encodeMasks(raw.masks, boxesXyxy, geometry, manifest.masks) };
}

function encodeMasks(
  { values, height, width }: NonNullable<RawDetections['masks']>,
  boxesXyxy: Float32Array,
  { original, resized }: ImageGeometry,
  { frame, paste, threshold }: NonNullable<ModelManifest['masks']>,
): EncodedMask[] {
  const area = height * width;
  return Array.from({ length: boxesXyxy.length / 4 }, (_, n) => {
    const grid = values.subarray(n * area, (n + 1) * area);
    if (frame === 'box')
      return pasteMask(grid, { height, width }, boxesXyxy.subarray(n * 4, n * 4 + 4), original, {
        convention: paste,
        threshold,
      });
    const content = frame === 'input' ? resized : { height, width };
    return encodeResizedMask(grid, { height, width }, content, original, threshold);
  });
}
