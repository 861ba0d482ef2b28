import type { Readable } from 'node:stream';

export interface StoredObject {
  /** UTF-8, `/`-separated, relative to the storage's root. */
  readonly key: string;
  readonly sizeBytes: number;
  /** Changes whenever the content does; opaque. */
  readonly etag: string;
}

interface GetOptions {
  /** Refuse (`OBJECT_TOO_LARGE`) what is larger, before it is in memory. */
  readonly maxBytes?: number;
  /** Refuse (`OBJECT_CHANGED`) an object whose etag is another. */
  readonly ifMatch?: string;
}

/**
 * A place that keeps objects under keys: a folder, memory, an S3 prefix. One conformance suite
 * (`test/integration/storage-conformance.ts`) holds for every driver.
 *
 * Keys are kept verbatim: no encoding, no Unicode normalisation. A key that the driver cannot keep is `KEY_INVALID`.
 * Writes are atomic: a reader sees the whole object or none of it. Missing objects throw `OBJECT_NOT_FOUND`, missing
 * rights `ACCESS_DENIED`; anything else that fails is `STORAGE_UNAVAILABLE` and worth a retry.
 */
export interface Storage {
  /** Where this is, for people: `file:///data/photos/`, `s3://bucket/prefix/`, `memory://`. */
  readonly uri: string;
  /**
   * Every object whose key starts with `prefix`, ordered by the UTF-8 bytes of the key. Throws rather than return a
   * partial list. What does not exist lists as empty.
   */
  list(prefix: string): AsyncIterable<StoredObject>;
  stat(key: string): Promise<StoredObject | undefined>;
  get(key: string, options?: GetOptions): Promise<Uint8Array>;
  /** The object as a stream of bytes, for what may be larger than memory. */
  stream(key: string): Promise<Readable>;
  /**
   * Write, replacing what is there. An async iterable is written as it comes: the next chunk is asked for when the
   * last one is written. If it throws, its error is rethrown and nothing changes.
   */
  put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<void>;
  /** Write only if nothing is there, atomically: of several concurrent writers exactly one is told `true`. */
  createIfAbsent(key: string, body: Uint8Array): Promise<boolean>;
  /**
   * Remove what writers that were killed have left behind; safe while others write. Returns how many there were.
   * Such remains are never listed and never read, they only take space.
   */
  removeUnfinishedWrites(): Promise<number>;
}
