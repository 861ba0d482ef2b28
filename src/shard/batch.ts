import type { ImageSize } from '../vision/geometry.ts';

/** What batching needs to know of an image. */
export interface BatchItem {
  /** The padded network size: the image's bucket. */
  readonly padded: ImageSize;
  /** What the image occupies while it waits. */
  readonly bytes: number;
}

/** Images of one bucket, in the order of the shard. */
export interface Batch<Item extends BatchItem> {
  readonly padded: ImageSize;
  readonly items: readonly Item[];
}

export interface BatchLimits {
  /** Images in a batch. */
  readonly maxImages: number;
  /** What may wait for its batch to fill. */
  readonly maxWaitingBytes: number;
}

/**
 * Sorts a shard's images into buckets of equal padded shape. A bucket becomes a batch when it is full; when more than
 * `maxWaitingBytes` wait, the fullest bucket goes first. Which images share a batch depends on the order and sizes of
 * the shard's images alone, never on timing: equal shards give equal batches.
 */
export class Batcher<Item extends BatchItem> {
  readonly #limits: BatchLimits;
  readonly #buckets = new Map<string, Item[]>();
  #waitingBytes = 0;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  /** Takes the next image; returns the batches that are complete with it. */
  add(item: Item): Batch<Item>[] {
    const key = `${item.padded.height}x${item.padded.width}`;
    const bucket = this.#buckets.get(key) ?? [];
    this.#buckets.set(key, bucket);
    bucket.push(item);
    this.#waitingBytes += item.bytes;

    const ready: Batch<Item>[] = [];
    if (bucket.length >= this.#limits.maxImages) ready.push(this.#take(key));
    while (this.#waitingBytes > this.#limits.maxWaitingBytes && this.#buckets.size > 0)
      ready.push(this.#take(this.#fullestBucket()));
    return ready;
  }

  /** The batches of what still waits, at the end of the shard. */
  flush(): Batch<Item>[] {
    return [...this.#buckets.keys()].map((key) => this.#take(key));
  }

  #take(key: string): Batch<Item> {
    const items = this.#buckets.get(key) ?? [];
    this.#buckets.delete(key);
    this.#waitingBytes -= items.reduce((sum, { bytes }) => sum + bytes, 0);
    return { padded: items[0]!.padded, items };
  }

  #fullestBucket(): string {
    const buckets = [...this.#buckets];
    return buckets.reduce((fullest, bucket) => (bucket[1].length > fullest[1].length ? bucket : fullest))[0];
  }
}

/** Share of a batch's network input that is padding: 0..1. `sizes` are those of the resized images. */
export function paddedArea(
  padded: ImageSize,
  sizes: readonly ImageSize[],
): { total: number; padding: number } {
  const total = padded.height * padded.width * sizes.length;
  const pixels = sizes.reduce((sum, { height, width }) => sum + height * width, 0);
  return { total, padding: total - pixels };
}
