import { MillraceError } from '../runtime/errors.ts';
import { SUPPORTED_FILTERS } from '../vision/resample.ts';
import type { ModelManifest } from './manifest.ts';

/**
 * Refuses what a valid manifest may say and this version does not do, before anything runs.
 *
 * @throws MillraceError MODEL_NOT_SUPPORTED, one line for each path.
 */
export function assertSupported({ input, batch, task }: ModelManifest): void {
  const scaled = input.scale !== 1 || input.mean.some((m) => m !== 0) || input.std.some((s) => s !== 1);
  const filter = 'filter' in input.resize ? input.resize.filter : undefined;
  const problems = [
    filter !== undefined && !SUPPORTED_FILTERS.includes(filter)
      ? `input.resize.filter "${filter}": there is ${SUPPORTED_FILTERS.join(', ')}`
      : undefined,
    input.crop ? 'input.crop: nothing is cropped yet, leave it null' : undefined,
    input.pad.at === 'center'
      ? 'input.pad.at "center": images go to the top left, "right-bottom"'
      : undefined,
    input.dtype === 'float16' ? 'input.dtype "float16": there is uint8 and float32' : undefined,
    input.dtype === 'uint8' && scaled
      ? 'input.scale, mean and std: a uint8 input takes pixels as they are'
      : undefined,
    typeof batch.size === 'number' && batch.size > 1
      ? `batch.size ${batch.size}: there is "dynamic" and 1`
      : undefined,
    batch.padding === 'forbidden' && batch.max > 1
      ? 'batch.padding "forbidden" with "max" above 1: lower it to 1, or use "zero" or "masked"'
      : undefined,
    task === 'keypoint-detection' || task === 'image-classification'
      ? `task "${task}": there is object-detection and instance-segmentation`
      : undefined,
  ].filter((problem) => problem !== undefined);
  if (problems.length === 0) return;
  throw new MillraceError(
    'MODEL_NOT_SUPPORTED',
    `model.json asks for what this version does not do:\n${problems.map((problem) => `  ${problem}`).join('\n')}`,
  );
}
