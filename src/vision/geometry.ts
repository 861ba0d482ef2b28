/**
 * Sizes and boxes. Boxes are xyxy in absolute pixels, float32, everywhere inside Millrace; COCO's xywh exists only
 * where files are written. N is the number of boxes.
 */

export interface ImageSize {
  readonly height: number;
  readonly width: number;
}

/** Pixels of one image, row by row, R G B interleaved: `height * width * 3` bytes. */
export interface RgbImage extends ImageSize {
  readonly pixels: Uint8Array;
}
