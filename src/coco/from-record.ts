import type { LabelledRecord, RecordedDetection } from '../run/record.ts';
import type {
  BboxXywh,
  CocoAnnotation,
  CocoBboxResult,
  CocoCategory,
  CocoImage,
  CocoRle,
  CocoSegmResult,
} from './format.ts';
import { shortestFloat32 } from './shortest-float32.ts';

type BoxXyxy = RecordedDetection['bbox_xyxy'];
type ImageOfDetection = Pick<LabelledRecord, 'image_id' | 'width' | 'height'>;

/** [x, y, width, height] of [x1, y1, x2, y2], both float32, as the shortest decimals. */
export function toXywh([x1, y1, x2, y2]: BoxXyxy): BboxXywh {
  return [
    shortestFloat32(x1),
    shortestFloat32(y1),
    shortestFloat32(Math.fround(x2) - Math.fround(x1)),
    shortestFloat32(Math.fround(y2) - Math.fround(y1)),
  ];
}

export function toCocoImage(record: LabelledRecord): CocoImage {
  return { id: record.image_id, width: record.width, height: record.height, file_name: record.key };
}

export function toCocoAnnotation(
  image: ImageOfDetection,
  detection: RecordedDetection,
  id: number,
): CocoAnnotation {
  const bbox = toXywh(detection.bbox_xyxy);
  return {
    id,
    image_id: image.image_id,
    category_id: detection.category_id,
    bbox,
    area: detection.segmentation?.area ?? shortestFloat32(bbox[2] * bbox[3]),
    segmentation: toRle(image, detection) ?? [],
    iscrowd: 0,
    score: shortestFloat32(detection.score),
  };
}

export function toBboxResult(image: ImageOfDetection, detection: RecordedDetection): CocoBboxResult {
  return {
    image_id: image.image_id,
    category_id: detection.category_id,
    bbox: toXywh(detection.bbox_xyxy),
    score: shortestFloat32(detection.score),
  };
}

/** `undefined` for a detection without a mask. */
export function toSegmResult(
  image: ImageOfDetection,
  detection: RecordedDetection,
): CocoSegmResult | undefined {
  const segmentation = toRle(image, detection);
  return (
    segmentation && {
      image_id: image.image_id,
      category_id: detection.category_id,
      segmentation,
      score: shortestFloat32(detection.score),
    }
  );
}

/** The categories of a model's classes, in their order. Several labels may stand for one category; the first names it. */
export function toCategories(
  classes: readonly {
    readonly id: number;
    readonly name: string;
    readonly supercategory?: string | undefined;
  }[],
): readonly CocoCategory[] {
  const categories = new Map<number, CocoCategory>();
  for (const { id, name, supercategory = '' } of classes)
    if (!categories.has(id)) categories.set(id, { id, name, supercategory });
  return [...categories.values()];
}

function toRle(image: ImageOfDetection, { segmentation }: RecordedDetection): CocoRle | undefined {
  return segmentation && { size: [image.height, image.width], counts: segmentation.counts };
}
