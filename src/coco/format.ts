/**
 * The COCO formats as Millrace writes them. Lengths are in pixels of the upright image, origin at the top left corner
 * of the top left pixel.
 */

/** x, y of the top left corner, width, height. */
export type BboxXywh = readonly [x: number, y: number, width: number, height: number];

/** Run lengths in column order, compressed as COCO's `maskApi` does. */
export interface CocoRle {
  readonly size: readonly [height: number, width: number];
  readonly counts: string;
}

export interface CocoInfo {
  readonly description: string;
  readonly contributor: string;
}

export interface CocoImage {
  readonly id: number;
  readonly width: number;
  readonly height: number;
  readonly file_name: string;
}

/** An object in the dataset JSON. `id` starts at 1: pycocotools takes an annotation 0 for unmatched. */
export interface CocoAnnotation {
  readonly id: number;
  readonly image_id: number;
  readonly category_id: number;
  readonly bbox: BboxXywh;
  /** Set pixels of the mask; of the box where there is none. */
  readonly area: number;
  /** A mask, or `[]` where the model makes none, which importers take for a rectangle. */
  readonly segmentation: CocoRle | readonly [];
  /** 0 also with run lengths: a crowd would be ignored in evaluation, and readers look at `segmentation` itself. */
  readonly iscrowd: 0;
  /** Not in COCO; importers keep it as an attribute. */
  readonly score: number;
}

export interface CocoCategory {
  readonly id: number;
  readonly name: string;
  readonly supercategory: string;
}

/** An entry of `results/bbox.json`. */
export interface CocoBboxResult {
  readonly image_id: number;
  readonly category_id: number;
  readonly bbox: BboxXywh;
  readonly score: number;
}

/** An entry of `results/segm.json`. Without `bbox`: `loadRes` would take the box's area for the mask's. */
export interface CocoSegmResult {
  readonly image_id: number;
  readonly category_id: number;
  readonly segmentation: CocoRle;
  readonly score: number;
}
