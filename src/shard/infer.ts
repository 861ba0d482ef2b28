import type { NetworkBatch, RawDetections } from '../model/contracts/contract.ts';
import type { Model } from '../model/model.ts';
import { runBlankBatch } from '../model/probe.ts';
import { isSessionGone } from '../model/run-error.ts';
import { isMillraceError, MillraceError, toError } from '../runtime/errors.ts';
import { failpoint } from '../runtime/failpoint.ts';
import { ImageFailure } from '../runtime/image-failure.ts';
import type { ImageSize } from '../vision/geometry.ts';
import { paddedArea } from './batch.ts';
import type { BatchMemory } from './batch-memory.ts';
import { type StageObserver, timed } from './stage-observer.ts';

/** One entry an image: what the model found, or why the model fails on it. */
export type InferenceResult = RawDetections | ImageFailure;

/** Makes the network input of the images at these positions of the batch. */
export type PrepareBatch = (positions: readonly number[]) => Promise<NetworkBatch>;

export interface InferenceContext {
  readonly model: Model;
  readonly memory: BatchMemory;
  readonly scoreThreshold: number;
  readonly observer: StageObserver;
}

export interface BatchToInfer {
  readonly images: number;
  readonly padded: ImageSize;
  readonly prepare: PrepareBatch;
}

export interface InferredBatch {
  readonly results: readonly InferenceResult[];
  /** Images in the smallest part, where the batch did not run as a whole. */
  readonly splitTo: number | undefined;
}

/** One image alone is tried so often before its session is opened anew for it. */
const TRIES_WITHOUT_MEMORY = 3;

/**
 * Runs a batch. Where it fails it is bisected, so that the image at fault costs only itself; before one is blamed, a
 * blank batch goes through the same session, and if that fails too the environment is to blame. A batch that does not
 * fit into memory is halved, and so is what comes later of its shape.
 *
 * @throws MillraceError INFERENCE_FAILED when the session itself is broken; what says that it is gone, as it is.
 */
export async function inferBatch(context: InferenceContext, batch: BatchToInfer): Promise<InferredBatch> {
  const inference = new BatchInference(context, batch);
  const results = await inference.infer(Array.from({ length: batch.images }, (_, n) => n));
  return { results, splitTo: inference.smallestRun < batch.images ? inference.smallestRun : undefined };
}

/** @throws MillraceError INFERENCE_FAILED where not even a blank image runs; what says that the session is gone. */
export async function assertBlankRuns(model: Model): Promise<void> {
  try {
    await runBlankBatch(model.package.manifest, model.contract, model.session, 1);
  } catch (cause) {
    if (isSessionGone(cause)) throw cause;
    const message = `the model does not even run a blank image any more: ${toError(cause).message}`;
    throw new MillraceError('INFERENCE_FAILED', message, { cause });
  }
}

class BatchInference {
  readonly #context: InferenceContext;
  readonly #batch: BatchToInfer;
  smallestRun = Infinity;

  constructor(context: InferenceContext, batch: BatchToInfer) {
    this.#context = context;
    this.#batch = batch;
  }

  async infer(positions: readonly number[]): Promise<InferenceResult[]> {
    const { memory, observer } = this.#context;
    const { padded } = this.#batch;
    const maxImages = memory.maxImages(padded);
    if (positions.length > maxImages) return this.#inferParts(positions, maxImages);
    const found = await this.#tryRun(positions);
    if (!(found instanceof Error)) return found;
    if (positions.length === 1) return this.#inferAlone(positions, found);
    if (!isOutOfMemory(found)) return this.#inferParts(positions, Math.ceil(positions.length / 2));
    memory.halve(padded, positions.length);
    observer.memoryHalved();
    return this.infer(positions);
  }

  async #inferParts(positions: readonly number[], images: number): Promise<InferenceResult[]> {
    const results: InferenceResult[] = [];
    for (let at = 0; at < positions.length; at += images)
      results.push(...(await this.infer(positions.slice(at, at + images))));
    return results;
  }

  /** One image has failed alone. Memory may be back a moment later, or in a session just opened; other errors stay. */
  async #inferAlone(positions: readonly number[], failure: Error): Promise<InferenceResult[]> {
    const { model, memory } = this.#context;
    const { padded } = this.#batch;
    let found: RawDetections[] | Error = failure;
    for (let tries = 1; isOutOfMemory(found) && !memory.isTooLarge(padded); tries++) {
      if (tries === TRIES_WITHOUT_MEMORY) await model.recycle();
      found = await this.#tryRun(positions);
      if (isOutOfMemory(found) && tries === TRIES_WITHOUT_MEMORY) memory.setTooLarge(padded);
    }
    return found instanceof Error ? [await this.#blame(found)] : found;
  }

  async #tryRun(positions: readonly number[]): Promise<RawDetections[] | Error> {
    const { observer, scoreThreshold } = this.#context;
    const { contract, session } = this.#context.model;
    const batch = await timed(observer, 'prepare', () => this.#batch.prepare(positions));
    try {
      const outputs = await timed(observer, 'infer', () => {
        const running = session.run(contract.feeds(batch, session.signature));
        failpoint('mid-infer');
        return running;
      });
      const found = contract.read(outputs, batch.batchSize, scoreThreshold);
      observer.batch(batch.batchSize, paddedArea(batch.padded, batch.imageSizes));
      this.smallestRun = Math.min(this.smallestRun, batch.batchSize);
      return found;
    } catch (error) {
      if (isSessionGone(error)) throw error;
      return toError(error);
    }
  }

  async #blame(error: Error): Promise<ImageFailure> {
    await assertBlankRuns(this.#context.model);
    const message = isOutOfMemory(error)
      ? 'the memory does not hold the model on this image alone, and does on a blank one'
      : 'the model fails on this image, and not on a blank one';
    return new ImageFailure('inference_failed', message, { cause: error });
  }
}

const isOutOfMemory = (found: unknown): boolean => isMillraceError(found, 'INFERENCE_OUT_OF_MEMORY');
