import { z } from 'zod';
import { FAILURE_CLASSES } from '../runtime/image-failure.ts';

/** A detection as it is kept: boxes xyxy in the upright original image's pixels, masks COCO-compressed. */
const recordedDetection = z.strictObject({
  category_id: z.int(),
  score: z.number(),
  bbox_xyxy: z.tuple([z.number(), z.number(), z.number(), z.number()]),
  segmentation: z.strictObject({ counts: z.string(), area: z.int() }).optional(),
});

/**
 * One line of `records/*.jsonl`: what became of one image. `image_id` is the COCO id, `key` the name below the source.
 * Detections are ordered by score, best first.
 */
const labelledRecord = z.strictObject({
  image_id: z.int(),
  key: z.string(),
  /** Of the upright image, after EXIF orientation. */
  width: z.int(),
  height: z.int(),
  /** The EXIF orientation, 1 to 8, of the file; 1 where it has none. */
  orientation: z.int(),
  detections: z.array(recordedDetection),
});

const failedRecord = z.strictObject({
  image_id: z.int(),
  key: z.string(),
  failure: z.strictObject({ class: z.enum(FAILURE_CLASSES), message: z.string() }),
});

export const imageRecord = z.union([labelledRecord, failedRecord]);

export type RecordedDetection = z.infer<typeof recordedDetection>;
export type LabelledRecord = z.infer<typeof labelledRecord>;
export type FailedRecord = z.infer<typeof failedRecord>;
export type ImageRecord = z.infer<typeof imageRecord>;

export const isFailed = (record: ImageRecord): record is FailedRecord => 'failure' in record;
export const isLabelled = (record: ImageRecord): record is LabelledRecord => !isFailed(record);
