import type { NetworkBatch, RawDetections } from '../model/contracts/contract.ts';
import type { Model } from '../model/model.ts';
import { runBlankBatch } from '../model/probe.ts';
import { MillraceError, toError } from '../runtime/errors.ts';
import { ImageFailure } from '../runtime/image-failure.ts';

/** One entry an image: what the model found, or why the model fails on it. */
export type InferenceResult = RawDetections | ImageFailure;

/** Makes the network input of the images at these positions of the batch. */
export type PrepareBatch = (positions: readonly number[]) => Promise<NetworkBatch>;

/**
 * Runs a batch. Where it fails, each image runs alone, so that the one at fault costs only itself; before an image is
 * blamed, a blank batch goes through the same session, and if that fails too the environment is to blame.
 *
 * @throws MillraceError INFERENCE_FAILED when the session itself is broken.
 */
export async function inferBatch(
  model: Model,
  images: number,
  prepare: PrepareBatch,
  scoreThreshold: number,
): Promise<InferenceResult[]> {
  const everyone = Array.from({ length: images }, (_, position) => position);
  const whole = await tryRun(model, await prepare(everyone), scoreThreshold);
  if (!(whole instanceof Error)) return whole;
  if (images === 1) return [await blame(model, whole)];

  const results: InferenceResult[] = [];
  for (const position of everyone) {
    const alone = await tryRun(model, await prepare([position]), scoreThreshold);
    results.push(...(alone instanceof Error ? [await blame(model, alone)] : alone));
  }
  return results;
}

async function tryRun(
  { contract, session }: Model,
  batch: NetworkBatch,
  scoreThreshold: number,
): Promise<RawDetections[] | Error> {
  try {
    const outputs = await session.run(contract.feeds(batch, session.signature));
    return contract.read(outputs, batch.batchSize, scoreThreshold);
  } catch (error) {
    return toError(error);
  }
}

async function blame(model: Model, error: Error): Promise<ImageFailure> {
  try {
    await runBlankBatch(model.package.manifest, model.contract, model.session, 1);
  } catch (cause) {
    const message = `the model does not even run a blank image any more: ${toError(cause).message}`;
    throw new MillraceError('INFERENCE_FAILED', message, { cause });
  }
  return new ImageFailure('inference_failed', 'the model fails on this image, and not on a blank one', {
    cause: error,
  });
}
