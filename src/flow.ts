/**
 * The page: how a source becomes labels. Every stage is composed here, in order, and lives in the folder of its name.
 *
 *     plan    list -> shard -> enqueue
 *     shard   fetch -> header -> batch -> decode -> infer -> interpret -> annotate -> commit
 *     merge   commits -> COCO JSON, failures, _SUCCESS
 *
 * Storage holds the truth and the queue only says what to do next, so every step can be repeated: starting again is
 * resuming.
 */
import type { Config } from '../config/schema.ts';
import { mergeRun } from './merge/merge.ts';
import { loadModelPackage } from './model/package.ts';
import { checkPlaces } from './plan/check-places.ts';
import { describeRun } from './plan/describe-run.ts';
import { assertHasImages, listImages } from './plan/list-images.ts';
import { missingShards } from './plan/missing-shards.ts';
import { createRun, findRun } from './plan/open-run.ts';
import { planRun, readShard } from './plan/plan-run.ts';
import { openQueue } from './queue/connection.ts';
import { addRun, type RunSteps, startRunWorker, waitForRun } from './queue/runs.ts';
import { startShardWorker } from './queue/shards.ts';
import type { PlanDocument, RunDocument, SuccessDocument } from './run/documents.ts';
import { readSuccess } from './run/read-write.ts';
import { RunProgress } from './run/progress.ts';
import { isMillraceError, MillraceError } from './runtime/errors.ts';
import { type Lifetime, withLifetime } from './runtime/lifetime.ts';
import type { Logger } from './runtime/log.ts';
import { type Engine, openEngine, shardContext } from './shard/engine.ts';
import { processShard } from './shard/process-shard.ts';
import { openStorage } from './storage/open.ts';
import type { Storage } from './storage/storage.ts';

/** Shards under way in one process: while one infers, the next is fetched and decoded. */
const SHARD_CONCURRENCY = 2;
/** How often the end of the run is looked for. */
const POLL_MS = 50;

export interface RunRequest {
  /** A folder of images. */
  readonly source: string;
  /** The folder of a model package. */
  readonly model: string;
  readonly output: string;
  readonly config: Config;
  readonly log: Logger;
  /** Aborting it ends the run after the batches under way; it can be resumed. */
  readonly signal: AbortSignal;
  /** Called once, with counts that change as the run goes on. */
  readonly onProgress: (progress: RunProgress) => void;
}

export interface RunReport extends SuccessDocument {
  /** URI of the output. */
  readonly output: string;
  /** The run was complete before, and nothing was done. */
  readonly alreadyComplete: boolean;
}

interface Places {
  readonly source: Storage;
  readonly output: Storage;
}

/**
 * Labels a source in this process, on the embedded queue. Resumes where the output already holds a part of this run;
 * does nothing where it is complete.
 *
 * @throws MillraceError before anything is written, for a source, output, model or option that cannot be used; later
 *   FAILURE_BUDGET_EXCEEDED or INTERRUPTED, after which the run can be resumed.
 */
export function runDataset(request: RunRequest): Promise<RunReport> {
  return withLifetime(async (lifetime) => {
    await checkPlaces(request.source, request.output);
    const places = { source: await openStorage(request.source), output: await openStorage(request.output) };
    const modelPackage = await loadModelPackage(request.model);
    const wanted = describeRun(places, modelPackage, request.config);
    const found = await findRun(places.output, wanted);
    const before = found && (await readSuccess(places.output));
    if (before) return { ...before, output: places.output.uri, alreadyComplete: true };

    await assertHasImages(places.source);
    const engine = await openEngine(modelPackage, request.config, lifetime);
    const run = await createRun(places.output, wanted);
    const success = await driveRun(run, places, engine, request, lifetime);
    return { ...success, output: places.output.uri, alreadyComplete: false };
  });
}

/** Puts the run on the queue and works it off: this process is coordinator and worker at once. */
async function driveRun(
  run: RunDocument,
  places: Places,
  engine: Engine,
  request: RunRequest,
  lifetime: Lifetime,
): Promise<SuccessDocument> {
  const { source, output } = places;
  const { manifest } = engine.model.package;
  const progress = new RunProgress(request.config.maxFailures, request.signal);
  const context = shardContext(engine, run, places, request.config, request.log);
  let plan: PlanDocument;
  let success: SuccessDocument | undefined;

  await output.removeUnfinishedWrites();
  lifetime.onEnd(async () => void (await output.removeUnfinishedWrites()));
  const queue = await openQueue({ log: request.log });
  lifetime.onEnd(() => queue.close());
  const steps: RunSteps = {
    plan: async () => {
      plan = await planRun(output, listImages(source), run.options.shardSize, engine.batchSize);
      progress.planned(plan.images);
      request.onProgress(progress);
      return { model: manifest.name };
    },
    missingShards: () => missingShards(output, plan, (commit) => progress.resumedWith(commit)),
    merge: async (_runId, failures) => {
      const [firstFailure] = failures.first;
      if (firstFailure) throw firstFailure.error;
      progress.judgeAtEnd();
      success = await mergeRun(output, { manifest, options: run.options, keyPrefix: '' });
    },
  };
  startRunWorker(queue, steps, progress.stopped);
  const worker = startShardWorker(queue, {
    model: manifest.name,
    concurrency: SHARD_CONCURRENCY,
    process: async ({ shard, generation }, signal) => {
      progress.begin(shard);
      const images = await readShard(output, plan, shard);
      const shardRun = { ...context, onImage: progress.counterOf(shard) };
      try {
        progress.committed(await processShard({ shard, generation }, images, shardRun, signal));
      } catch (error) {
        if (signal.aborted) throw error;
        if (isMillraceError(error) && error.retry === 'never') progress.fail(error);
        request.log.warn({ err: error, shard }, 'a shard was not committed');
        throw error;
      }
    },
  });
  progress.stopped.addEventListener('abort', () => worker.abort('the run is stopping'), { once: true });

  await addRun(queue, run.runId);
  const outcome = await waitForRun(queue, run.runId, { pollMs: POLL_MS, signal: progress.stopped });
  if (outcome.state === 'failed') throw outcome.error;
  if (!success) throw new MillraceError('RUN_INCOMPLETE', 'the run ended without its results; run it again');
  return success;
}
