import type { ImageSize } from '../vision/geometry.ts';

/** What a session has shown to fit into its memory, by padded shape. It lives as long as its process. */
export class BatchMemory {
  readonly #maxImages = new Map<string, number>();
  readonly #tooLarge = new Set<string>();

  /** Images of this padded shape that one batch may hold. */
  maxImages(padded: ImageSize): number {
    return this.#maxImages.get(shapeOf(padded)) ?? Infinity;
  }

  /** A batch of so many, 2 or more, did not fit: half of it is tried from now on. */
  halve(padded: ImageSize, images: number): void {
    const half = Math.floor(images / 2);
    this.#maxImages.set(shapeOf(padded), Math.min(half, this.maxImages(padded)));
  }

  /** Whether even one image of this padded shape did not fit into a session just opened. */
  isTooLarge(padded: ImageSize): boolean {
    return this.#tooLarge.has(shapeOf(padded));
  }

  setTooLarge(padded: ImageSize): void {
    this.#tooLarge.add(shapeOf(padded));
  }
}

const shapeOf = ({ height, width }: ImageSize): string => `${height}x${width}`;
