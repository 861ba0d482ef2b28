import { type RunDocument, runDocument } from '../run/documents.ts';
import { RUN_KEY } from '../run/layout.ts';
import { readJson, toJsonBytes } from '../run/read-write.ts';
import { MillraceError } from '../runtime/errors.ts';
import { sha256Hex } from '../runtime/sha256.ts';
import { withoutConditionalWrites } from '../storage/conditional-writes.ts';
import type { Storage } from '../storage/storage.ts';

/**
 * The run that an output holds, if it is the wanted one.
 *
 * @throws MillraceError OUTPUT_HOLDS_ANOTHER_RUN, saying what differs.
 */
export async function findRun(output: Storage, wanted: RunDocument): Promise<RunDocument | undefined> {
  const found = await readJson(output, RUN_KEY, runDocument);
  if (found) {
    assertSameRun(output, found, wanted);
    return found;
  }
  for await (const { key } of output.list('')) {
    throw new MillraceError(
      'OUTPUT_HOLDS_ANOTHER_RUN',
      `${output.uri} is not empty (it holds ${key}, among others) and has no Millrace run. Choose an empty or a new output.`,
    );
  }
  return undefined;
}

/**
 * Writes `run.json`; of two at once one wins, and both must want the same run. The winner writes it a second time, which
 * must fail: some S3-compatible stores take the condition and ignore it.
 *
 * @throws MillraceError STORAGE_NOT_SUPPORTED, OUTPUT_HOLDS_ANOTHER_RUN.
 */
export async function createRun(output: Storage, wanted: RunDocument): Promise<RunDocument> {
  const create = (): Promise<boolean> => output.createIfAbsent(RUN_KEY, toJsonBytes(wanted));
  if (!(await create())) return (await findRun(output, wanted)) ?? wanted;
  if (await create()) throw withoutConditionalWrites(output, 'ignores');
  return wanted;
}

function assertSameRun(output: Storage, found: RunDocument, wanted: RunDocument): void {
  const differences = describeDifferences(found, wanted);
  if (differences.length === 0) return;
  throw new MillraceError(
    'OUTPUT_HOLDS_ANOTHER_RUN',
    [
      `${output.uri} holds another run:`,
      ...differences.map((difference) => `  ${difference}`),
      `Choose another --output, or repeat that run's own source, model and options to resume it.`,
    ].join('\n'),
  );
}

/** Of all that `model.json` says but the ONNX file's own digest. */
const digestOf = (model: RunDocument['model']): string =>
  sha256Hex(JSON.stringify({ ...model, sha256: undefined }));

function describeDifferences(found: RunDocument, wanted: RunDocument): string[] {
  const pairs: [string, unknown, unknown][] = [
    ['source', found.source, wanted.source],
    ['model (SHA-256 of the ONNX file)', found.model.sha256, wanted.model.sha256],
    ['model.json (SHA-256)', digestOf(found.model), digestOf(wanted.model)],
    ['--score-threshold', found.options.scoreThreshold, wanted.options.scoreThreshold],
    ['--label-threshold', found.options.labelThreshold, wanted.options.labelThreshold],
    ['--shard-size', found.options.shardSize, wanted.options.shardSize],
    ['--annotate', found.options.annotate, wanted.options.annotate],
    ['maxImageBytes', found.options.maxImageBytes, wanted.options.maxImageBytes],
    ['maxImagePixels', found.options.maxImagePixels, wanted.options.maxImagePixels],
  ];
  return pairs
    .filter(([, before, now]) => before !== now)
    .map(([name, before, now]) => `${name}: ${String(before)} there, ${String(now)} now`);
}
