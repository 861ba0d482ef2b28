import { isMillraceError } from '../runtime/errors.ts';
import { ImageFailure } from '../runtime/image-failure.ts';
import { annotatedKey } from '../run/layout.ts';
import type { ImageRecord } from '../run/record.ts';
import type { RgbImage } from '../vision/geometry.ts';
import { type Batch, paddedArea } from './batch.ts';
import { decodeImage } from './decode.ts';
import { inferBatch, type InferenceResult } from './infer.ts';
import type { OpenedImage } from './open-image.ts';
import type { ShardContext } from './shard-context.ts';
import { timed } from './stage-observer.ts';
import { toFailedRecord, toLabelledRecord } from './to-record.ts';

const RGB_BYTES = 3;
const RGBA_BYTES = 4;

export interface BatchOutcome {
  readonly position: number;
  readonly record: ImageRecord;
}

export interface BatchResult {
  readonly outcomes: readonly BatchOutcome[];
  /** Of the images that were decoded. */
  readonly networkPixels: { readonly total: number; readonly padding: number };
  /** Images in the smallest part, where the batch did not run as a whole. */
  readonly splitTo: number | undefined;
}

interface DecodedItem {
  readonly item: OpenedImage;
  readonly orientation: number;
  /** Replaced as the buffer goes to the pool and comes back. */
  image: RgbImage;
}

/**
 * decode -> prepare -> infer -> interpret -> annotate, for the images of one batch.
 *
 * @throws MillraceError what says that the session is gone, as it is; trouble that is no image's.
 */
export async function runBatch(batch: Batch<OpenedImage>, context: ShardContext): Promise<BatchResult> {
  const release = await context.pixelBudget.acquire(pixelBytes(batch, context));
  try {
    const outcomes: BatchOutcome[] = [];
    const decoded: DecodedItem[] = [];
    for (const result of await Promise.all(batch.items.map((item) => decodeItem(item, context)))) {
      if ('record' in result) outcomes.push(result);
      else decoded.push(result);
    }
    const { padded } = batch;
    const networkPixels = paddedArea(
      padded,
      decoded.map(({ item }) => item.resized),
    );
    if (decoded.length === 0) return { outcomes, networkPixels, splitTo: undefined };
    const { results, splitTo } = await inferBatch(context, {
      images: decoded.length,
      padded,
      prepare: (positions) =>
        prepare(
          positions.map((position) => decoded[position]!),
          batch,
          context,
        ),
    });
    const finished = decoded.map((entry, index) => finishItem(entry, results[index]!, context));
    return { outcomes: [...outcomes, ...(await Promise.all(finished))], networkPixels, splitTo };
  } finally {
    release();
  }
}

async function decodeItem(item: OpenedImage, context: ShardContext): Promise<DecodedItem | BatchOutcome> {
  try {
    const { orientation, ...image } = await timed(context.observer, 'decode', () =>
      decodeImage(item.encoded, context.decodeLimits),
    );
    return { item, orientation, image };
  } catch (error) {
    if (error instanceof ImageFailure) return failed(item, error);
    throw error;
  }
}

async function prepare(
  entries: readonly DecodedItem[],
  batch: Batch<OpenedImage>,
  { pool, model }: ShardContext,
) {
  const prepared = await pool.prepare({
    images: entries.map(({ image }) => image),
    resized: entries.map(({ item }) => item.resized),
    padded: batch.padded,
    input: model.package.manifest.input,
  });
  entries.forEach((entry, index) => (entry.image = { ...entry.image, pixels: prepared.pixels[index]! }));
  return prepared.batch;
}

async function finishItem(
  { item, orientation, image }: DecodedItem,
  result: InferenceResult,
  context: ShardContext,
): Promise<BatchOutcome> {
  if (result instanceof ImageFailure) return failed(item, result);
  const { manifest } = context.model.package;
  const { annotation, observer } = context;
  const startedMs = performance.now();
  const { detections, drawn } = await context.pool.finish({
    raw: result,
    geometry: { original: item.original, resized: item.resized },
    manifest: { boxes: manifest.boxes, ...(manifest.masks ? { masks: manifest.masks } : {}) },
    ...(annotation ? { annotate: { image, ...annotation } } : {}),
  });
  const seconds = (performance.now() - startedMs) / 1000;
  observer.stage('interpret', seconds - (drawn?.seconds ?? 0));
  try {
    const record = toLabelledRecord(item.planned, item.original, orientation, detections, manifest.classes);
    if (drawn) {
      const storeMs = performance.now();
      await storeAnnotated(item.planned.key, drawn.jpeg, context);
      observer.stage('annotate', drawn.seconds + (performance.now() - storeMs) / 1000);
    }
    return { position: item.position, record };
  } catch (error) {
    if (error instanceof ImageFailure) return failed(item, error);
    throw error;
  }
}

/** An annotated image is a rendering: a key that the output cannot hold with `.jpg` appended costs only the picture. */
async function storeAnnotated(key: string, jpeg: Uint8Array, { output, log }: ShardContext): Promise<void> {
  try {
    await output.put(annotatedKey(key), jpeg);
  } catch (error) {
    if (!isMillraceError(error, 'KEY_INVALID')) throw error;
    log.warn({ key, reason: error.message }, 'no annotated image: the output cannot hold its name');
  }
}

const failed = (item: OpenedImage, failure: ImageFailure): BatchOutcome => ({
  position: item.position,
  record: toFailedRecord(item.planned, failure),
});

/** Decoded images, the canvases that they are drawn on, and the network's input. */
function pixelBytes({ padded, items }: Batch<OpenedImage>, { model, annotation }: ShardContext): number {
  const { input } = model.package.manifest;
  const bytesPerPixel = RGB_BYTES + (annotation ? RGBA_BYTES : 0);
  const decoded = items.reduce(
    (sum, { original }) => sum + original.height * original.width * bytesPerPixel,
    0,
  );
  const bytesPerSample = input.dtype === 'uint8' ? 1 : Float32Array.BYTES_PER_ELEMENT;
  return decoded + items.length * padded.height * padded.width * 3 * bytesPerSample;
}
