import { csvRow } from '../coco/csv.ts';
import type { CocoBboxResult, CocoSegmResult } from '../coco/format.ts';
import {
  toBboxResult,
  toCategories,
  toCocoAnnotation,
  toCocoImage,
  toSegmResult,
} from '../coco/from-record.ts';
import { datasetWriter, resultsWriter } from '../coco/json-writer.ts';
import type { ModelManifest } from '../model/manifest.ts';
import type { CommitDocument, RunOptions, SuccessDocument } from '../run/documents.ts';
import { ANNOTATIONS_KEY, FAILURES_KEY, RESULT_KEYS, SUCCESS_KEY } from '../run/layout.ts';
import { isFailed, type ImageRecord, type LabelledRecord, type RecordedDetection } from '../run/record.ts';
import { MillraceError, toError } from '../runtime/errors.ts';
import { failpoint } from '../runtime/failpoint.ts';
import type { Storage } from '../storage/storage.ts';
import { readCommits, requireAllCommitted, requirePlan } from './commits.ts';
import { openObjectWriter, type ObjectWriter } from './object-writer.ts';
import { readRecords } from './read-records.ts';

export interface MergeContext {
  readonly manifest: Pick<ModelManifest, 'name' | 'classes' | 'masks'>;
  readonly options: Pick<RunOptions, 'scoreThreshold' | 'labelThreshold'>;
  /** The generation that was asked for: what `_SUCCESS` says to be complete. */
  readonly generation: number;
  /** What stands before the keys in `failures.csv`: `bucket/prefix/` of an S3 source, nothing of a local one. */
  readonly keyPrefix: string;
  /** Asked when all but `_SUCCESS` is written; what it throws leaves the run incomplete. */
  readonly confirm?: () => Promise<void>;
}

/**
 * Make the final files of a run from its commits: `annotations.json`, `results/*.json`, `failures.csv` and, last,
 * `_SUCCESS`. The records are read twice, since COCO wants all images before the first annotation; nothing is held but
 * a record at a time. The bytes depend on the records, the manifest and the options alone, so merging again, or twice
 * at once, changes nothing. Every file appears whole or, after an error, not at all.
 *
 * @throws MillraceError `RUN_INCOMPLETE` while commits are missing, `RUN_CORRUPT` where records, commits and plan disagree.
 */
export async function mergeRun(output: Storage, context: MergeContext): Promise<SuccessDocument> {
  const plan = await requirePlan(output);
  // Both passes read the same generations, whatever is committed meanwhile.
  const generations = await requireAllCommitted(output, plan);
  const records = async function* (): AsyncGenerator<ImageRecord, void, undefined> {
    for await (const commit of readCommits(output, plan, generations)) yield* readRecords(output, commit);
  };

  const counts = await withWriters(output, (open) => writeFiles(records, context, open));
  const networkPixels = await sumNetworkPixels(readCommits(output, plan, generations));
  const images = counts.labelled + counts.failed;
  const success: SuccessDocument = { generation: context.generation, images, ...counts, networkPixels };
  await context.confirm?.();
  await output.put(SUCCESS_KEY, Buffer.from(`${JSON.stringify(success)}\n`));
  return success;
}

type Counts = Omit<SuccessDocument, 'generation' | 'images' | 'networkPixels'>;

async function writeFiles(
  records: () => AsyncIterable<ImageRecord>,
  { manifest, options, keyPrefix }: MergeContext,
  open: (key: string) => ObjectWriter,
): Promise<Counts> {
  const categories = toCategories(manifest.classes);
  const checkDetection = detectionCheck(
    new Set(categories.map(({ id }) => id)),
    manifest.masks !== undefined,
  );
  const files = {
    annotations: open(ANNOTATIONS_KEY),
    bbox: open(RESULT_KEYS.bbox),
    segm: manifest.masks && open(RESULT_KEYS.segm),
    failures: open(FAILURES_KEY),
  };
  const dataset = await datasetWriter(files.annotations.write, {
    description: `Labelled by ${manifest.name}`,
    contributor: 'Millrace',
  });
  const bbox = resultsWriter<CocoBboxResult>(files.bbox.write);
  const segm = files.segm && resultsWriter<CocoSegmResult>(files.segm.write);
  await files.failures.write(csvRow(['key', 'failure_class', 'message']));
  const failures: Counts['failures'] = {};
  const counts = { labelled: 0, failed: 0, failures, annotations: 0 };

  for await (const record of records()) {
    if (isFailed(record)) {
      counts.failed += 1;
      const { failure } = record;
      failures[failure.class] = (failures[failure.class] ?? 0) + 1;
      await files.failures.write(csvRow([keyPrefix + record.key, failure.class, failure.message]));
      continue;
    }
    counts.labelled += 1;
    await dataset.image(toCocoImage(record));
    for (const detection of atLeast(options.scoreThreshold, record)) {
      checkDetection(record, detection);
      await bbox.item(toBboxResult(record, detection));
      const result = toSegmResult(record, detection);
      if (result !== undefined) await segm?.item(result);
    }
  }
  await Promise.all([dataset.endImages(), bbox.end(), segm?.end()]);
  await Promise.all([files.bbox.end(), files.segm?.end(), files.failures.end()]);
  failpoint('in-merge');

  for await (const record of records()) {
    if (isFailed(record)) continue;
    for (const detection of atLeast(options.labelThreshold, record)) {
      counts.annotations += 1;
      await dataset.annotation(toCocoAnnotation(record, detection, counts.annotations));
    }
  }
  await dataset.end(categories);
  await files.annotations.end();
  return counts;
}

async function sumNetworkPixels(
  commits: AsyncIterable<CommitDocument>,
): Promise<SuccessDocument['networkPixels']> {
  const sum = { total: 0, padding: 0 };
  for await (const { networkPixels } of commits) {
    sum.total += networkPixels.total;
    sum.padding += networkPixels.padding;
  }
  return sum;
}

/** Compared as the float32 that scores are, so that 0.7 is at least 0.7 wherever it is asked. */
function atLeast(threshold: number, { detections }: LabelledRecord): readonly RecordedDetection[] {
  return detections.filter(({ score }) => Math.fround(score) >= Math.fround(threshold));
}

function detectionCheck(
  categoryIds: ReadonlySet<number>,
  hasMasks: boolean,
): (record: LabelledRecord, detection: RecordedDetection) => void {
  return (record, { category_id, segmentation }) => {
    if (!categoryIds.has(category_id))
      throw new MillraceError(
        'RUN_CORRUPT',
        `A detection in image ${record.image_id} (${record.key}) has category ${category_id}; the model has ${[...categoryIds].join(', ')}.`,
      );
    if ((segmentation !== undefined) !== hasMasks)
      throw new MillraceError(
        'RUN_CORRUPT',
        `A detection in image ${record.image_id} (${record.key}) has ${hasMasks ? 'no' : 'a'} mask, and the model makes ${hasMasks ? 'one' : 'none'} for each.`,
      );
  };
}

/** Run `work`, and should it fail, take back every file that it has not ended. */
async function withWriters<T>(
  output: Storage,
  work: (open: (key: string) => ObjectWriter) => Promise<T>,
): Promise<T> {
  const writers: ObjectWriter[] = [];
  try {
    return await work((key) => {
      const writer = openObjectWriter(output, key);
      writers.push(writer);
      return writer;
    });
  } catch (error) {
    await Promise.all(writers.map((writer) => writer.abort(toError(error))));
    throw error;
  }
}
