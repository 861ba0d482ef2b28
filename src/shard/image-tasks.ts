/**
 * What the image pool computes: resampling before inference; masks, run lengths and drawing after it. Plain functions;
 * `image-pool-thread.ts` runs them in the pool's threads.
 */
import { annotateImage, type ClassStyle } from '../draw/annotate-image.ts';
import type { NetworkBatch, RawDetections } from '../model/contracts/contract.ts';
import type { ModelManifest } from '../model/manifest.ts';
import type { Detections } from '../vision/detections.ts';
import type { ImageSize, RgbImage } from '../vision/geometry.ts';
import { resampleInto } from '../vision/resample.ts';
import { type ImageGeometry, interpret } from './interpret.ts';

export interface PrepareTask {
  readonly images: readonly RgbImage[];
  /** [B] sizes to resize to. */
  readonly resized: readonly ImageSize[];
  readonly padded: ImageSize;
  readonly input: ModelManifest['input'];
}

export interface Prepared {
  readonly batch: NetworkBatch;
  /** The buffers of the task's images, handed back. */
  readonly pixels: readonly Uint8Array[];
}

/** Resizes each image straight into its place in the padded batch. */
export function prepareBatch({ images, resized, padded, input }: PrepareTask): Prepared {
  const length = images.length * padded.height * padded.width * 3;
  const pixels = input.dtype === 'uint8' ? new Uint8Array(length) : new Float32Array(length);
  images.forEach((image, index) =>
    resampleInto(pixels, { index, padded, resized: resized[index]! }, image, input),
  );
  return {
    batch: { pixels, batchSize: images.length, padded, imageSizes: resized },
    pixels: images.map((image) => image.pixels),
  };
}

export interface FinishTask {
  readonly raw: RawDetections;
  readonly geometry: ImageGeometry;
  readonly manifest: Pick<ModelManifest, 'boxes' | 'masks'>;
  /** To draw on; nothing is drawn without it. */
  readonly annotate?: {
    readonly image: RgbImage;
    readonly styles: readonly ClassStyle[];
    readonly minScore: number;
  };
}

export interface Finished {
  readonly detections: Detections;
  /** The annotated image, and what drawing and encoding it took. */
  readonly drawn?: { readonly jpeg: Uint8Array; readonly seconds: number };
}

/** Interprets one image's outputs, and draws them. */
export function finishImage({ raw, geometry, manifest, annotate }: FinishTask): Finished {
  const detections = interpret(raw, geometry, manifest);
  if (!annotate) return { detections };
  const startedMs = performance.now();
  const jpeg = annotateImage(annotate.image, detections, annotate.styles, annotate.minScore);
  return { detections, drawn: { jpeg, seconds: (performance.now() - startedMs) / 1000 } };
}
