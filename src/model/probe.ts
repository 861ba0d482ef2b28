import { MillraceError, toError } from '../runtime/errors.ts';
import type { ImageSize } from '../vision/geometry.ts';
import type { Contract } from './contracts/contract.ts';
import type { ModelManifest } from './manifest.ts';
import { isSessionGone } from './run-error.ts';
import type { Session } from './session.ts';

/** Big enough for every stride of a feature pyramid, small enough to cost nothing. */
const PROBE_SIDE_PX = 128;

/**
 * Runs blank batches of one and of the manifest's maximum. A blank image has nothing in it, so this also walks the way
 * of an image without detections, on which many exports break.
 *
 * @throws MillraceError CONTRACT_MISMATCH.
 */
export async function probeModel(
  manifest: ModelManifest,
  contract: Contract,
  session: Session,
): Promise<void> {
  for (const batchSize of new Set([
    manifest.batch.size === 'dynamic' ? 1 : manifest.batch.size,
    manifest.batch.max,
  ])) {
    await runBlankBatch(manifest, contract, session, batchSize);
  }
}

/**
 * @throws MillraceError CONTRACT_MISMATCH where the graph refuses the batch or returns another number of images; what
 *   says that the session is gone, as it is.
 */
export async function runBlankBatch(
  manifest: ModelManifest,
  contract: Contract,
  session: Session,
  batchSize: number,
): Promise<void> {
  const padded = probeSize(manifest);
  const length = batchSize * padded.height * padded.width * 3;
  const pixels = manifest.input.dtype === 'uint8' ? new Uint8Array(length) : new Float32Array(length);
  const imageSizes = Array.from({ length: batchSize }, () => padded);
  try {
    const outputs = await session.run(
      contract.feeds({ pixels, batchSize, padded, imageSizes }, session.signature),
    );
    const images = contract.read(outputs, batchSize, 0).length;
    if (images !== batchSize) throw new Error(`it returned ${images} images`);
  } catch (error) {
    if (isSessionGone(error)) throw error;
    throw new MillraceError(
      'CONTRACT_MISMATCH',
      `the model does not run a blank batch of ${batchSize} (${padded.height}x${padded.width} px): ` +
        `${toError(error).message}. If it runs smaller batches, lower "batch.max" in model.json.`,
      { cause: error },
    );
  }
}

function probeSize({ input }: ModelManifest): ImageSize {
  if (input.shape !== 'dynamic') return input.shape;
  if (input.pad.ladder !== 'exact') {
    const [height, width] = input.pad.ladder[0]!;
    return { height, width };
  }
  const side = Math.ceil(PROBE_SIDE_PX / input.pad.divisor) * input.pad.divisor;
  return { height: side, width: side };
}
