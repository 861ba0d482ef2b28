import type { ModelClass } from '../model/manifest.ts';
import type { FailedRecord, LabelledRecord } from '../run/record.ts';
import type { PlannedImage } from '../run/documents.ts';
import { MillraceError } from '../runtime/errors.ts';
import { ImageFailure } from '../runtime/image-failure.ts';
import { shortestFloat32 } from '../coco/shortest-float32.ts';
import type { Detections } from '../vision/detections.ts';
import type { ImageSize } from '../vision/geometry.ts';

/**
 * @throws MillraceError CONTRACT_MISMATCH where a label has no class in the manifest.
 * @throws ImageFailure `inference_failed` where a number is none.
 */
export function toLabelledRecord(
  image: PlannedImage,
  size: ImageSize,
  orientation: number,
  { boxesXyxy, labels, scores, masks }: Detections,
  classes: readonly ModelClass[],
): LabelledRecord {
  if (!boxesXyxy.every(Number.isFinite) || !scores.every(Number.isFinite))
    throw new ImageFailure(
      'inference_failed',
      'the model returned a box or a score that is not a finite number',
    );
  return {
    image_id: image.id,
    key: image.key,
    width: size.width,
    height: size.height,
    orientation,
    detections: Array.from(scores, (score, n) => {
      const [x1, y1, x2, y2] = Array.from(boxesXyxy.subarray(n * 4, n * 4 + 4), shortestFloat32);
      return {
        category_id: classOf(labels[n]!, classes).id,
        score: shortestFloat32(score),
        bbox_xyxy: [x1!, y1!, x2!, y2!],
        ...(masks ? { segmentation: masks[n]! } : {}),
      };
    }),
  };
}

export function toFailedRecord(image: PlannedImage, failure: ImageFailure): FailedRecord {
  return {
    image_id: image.id,
    key: image.key,
    failure: { class: failure.failureClass, message: failure.message },
  };
}

function classOf(label: number, classes: readonly ModelClass[]): ModelClass {
  const found = classes.find((entry) => entry.label === label);
  if (found) return found;
  throw new MillraceError(
    'CONTRACT_MISMATCH',
    `the model emitted label ${label}, but model.json has classes for ${classes.map((entry) => entry.label).join(', ')} only`,
  );
}
