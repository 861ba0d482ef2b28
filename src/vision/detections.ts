/**
 * What a model found in one image, as columns of equal length N, best score first, in the pixels of the upright
 * original image.
 */
export interface Detections {
  /** [N, 4] x1 y1 x2 y2. */
  readonly boxesXyxy: Float32Array;
  /** [N] the integers that the model emits; `model.json` maps them to COCO category ids. */
  readonly labels: Int32Array;
  /** [N] 0..1. */
  readonly scores: Float32Array;
  /** [N] masks as COCO-compressed run lengths of the whole image, for models that make masks. */
  readonly masks?: readonly EncodedMask[];
}

/** One binary mask of the whole image in COCO's run-length encoding (column-major, first run zeros). */
export interface EncodedMask {
  readonly counts: string;
  /** Set pixels. */
  readonly area: number;
}
