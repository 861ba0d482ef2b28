import type { ModelManifest } from '../model/manifest.ts';
import type { PlannedImage } from '../run/documents.ts';
import { ImageFailure } from '../runtime/image-failure.ts';
import type { ImageSize } from '../vision/geometry.ts';
import { networkSize, paddedSize } from '../vision/network-size.ts';
import type { BatchItem } from './batch.ts';
import { type DecodeLimits, probeImage } from './decode.ts';
import { type FetchContext, fetchImage } from './fetch.ts';

/** An image whose header has been read: its bytes, and where it goes in the network. */
export interface OpenedImage extends BatchItem {
  readonly planned: PlannedImage;
  /** Position in the shard. */
  readonly position: number;
  readonly encoded: Uint8Array;
  /** Of the upright image. */
  readonly original: ImageSize;
  readonly resized: ImageSize;
}

export interface FailedImage {
  readonly planned: PlannedImage;
  readonly position: number;
  readonly failure: ImageFailure;
}

/** Fetches an image and reads its header. The image's own faults are returned; trouble of the storage is thrown. */
export async function openImage(
  planned: PlannedImage,
  position: number,
  context: FetchContext & { readonly decodeLimits: DecodeLimits },
  input: ModelManifest['input'],
): Promise<OpenedImage | FailedImage> {
  try {
    const encoded = await fetchImage(planned, context);
    const { height, width } = await probeImage(encoded, context.decodeLimits);
    const original = { height, width };
    const resized = networkSize(original, input.resize);
    const padded = paddedImageSize(resized, input);
    return { planned, position, encoded, original, resized, padded, bytes: encoded.byteLength };
  } catch (error) {
    if (error instanceof ImageFailure) return { planned, position, failure: error };
    throw error;
  }
}

function paddedImageSize(resized: ImageSize, input: ModelManifest['input']): ImageSize {
  if (input.shape !== 'dynamic') {
    const { height, width } = input.shape;
    if (resized.height <= height && resized.width <= width) return input.shape;
    throw new ImageFailure(
      'unsupported',
      `it is ${resized.height}x${resized.width} in the network, and the graph is frozen at ${height}x${width}; ` +
        `set "input.resize" in model.json so that it fits`,
    );
  }
  try {
    return paddedSize(resized, input.pad);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ImageFailure(
      'unsupported',
      `${error.message}; add a larger shape to "input.pad.ladder" in model.json`,
      {
        cause: error,
      },
    );
  }
}
