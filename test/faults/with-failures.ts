import type { FailureClass } from '../../src/runtime/image-failure.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { type FinalFiles, sha256Of } from './invariants.ts';
import type { ReadyRing } from './ring.ts';

/**
 * The files of the undisturbed run, had these images failed: without them in `annotations.json`, and with a row in
 * `failures.csv`, whose message is taken from `output`. They must have no detections, so that nothing else changes.
 */
export async function withFailures(
  { undisturbed, expected }: ReadyRing,
  failed: ReadonlyMap<string, FailureClass>,
  output: Storage,
): Promise<FinalFiles> {
  const lines = async (from: Storage, key: string): Promise<string[]> =>
    Buffer.from(await from.get(key))
      .toString()
      .split('\n');
  const annotations = (await lines(undisturbed, 'annotations.json')).filter(
    (line) => ![...failed.keys()].some((key) => line.includes(`"file_name":${JSON.stringify(key)}`)),
  );
  const [head = '', ...rows] = await lines(undisturbed, 'failures.csv');
  const newRows = (await lines(output, 'failures.csv')).filter((row) =>
    [...failed].some(([key, failureClass]) => row.includes(`/${key},${failureClass},`)),
  );
  if (newRows.length !== failed.size)
    throw new Error(`failures.csv blames ${newRows.length} of ${failed.size} images`);
  // Rows begin with the key, and are in its order; the last is what follows the last line break.
  const failures = [head, ...[...rows.slice(0, -1), ...newRows].toSorted(), ''];
  return {
    ...expected.files,
    'annotations.json': sha256Of(Buffer.from(annotations.join('\n'))),
    'failures.csv': sha256Of(Buffer.from(failures.join('\n'))),
  };
}
