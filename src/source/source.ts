/** An image as a source lists it. */
export interface SourceImage {
  /** What the run calls it: COCO `file_name`, the path below `annotated/`. A relative path, unique in the source. */
  readonly key: string;
  /** Where its bytes are, where that does not follow from the source and the key. */
  readonly uri?: string;
  readonly sizeBytes?: number;
  /** What the bytes have to be still when they are read. */
  readonly etag?: string;
  /** The COCO image id, where the source says one; then it says one of every image. */
  readonly imageId?: number;
}

/** An image as it was planned. */
export interface WantedImage {
  readonly key: string;
  readonly uri?: string | undefined;
  readonly etag?: string | undefined;
}

/** What to label: a folder, an S3 prefix, either with a glob, or a list. */
export interface Source {
  /** Canonical: absolute, and opened on another machine it means the same. */
  readonly uri: string;
  /**
   * Every image: of a folder or prefix in the order of the UTF-8 bytes of the keys, of a list in its own order.
   *
   * @throws MillraceError SOURCE_INVALID for a bad or repeated entry, naming its place; URI_NOT_ALLOWED; storage's own.
   */
  list(): AsyncIterable<SourceImage>;
  /**
   * The bytes of a planned image.
   *
   * @throws MillraceError OBJECT_NOT_FOUND, OBJECT_CHANGED, OBJECT_TOO_LARGE, ACCESS_DENIED, KEY_INVALID of this image;
   *   URI_NOT_ALLOWED; STORAGE_UNAVAILABLE.
   */
  get(image: WantedImage, options: { readonly maxBytes: number }): Promise<Uint8Array>;
  /**
   * Asked before an image is blamed for being gone or closed.
   *
   * @throws MillraceError STORAGE_UNAVAILABLE where the source itself is gone; storage's own where it is closed.
   */
  assertThere(): Promise<void>;
}
