/**
 * The page: how a source becomes labels. Every stage lives in the folder of its name.
 *
 *     plan    list -> shard -> enqueue                                                      flow/coordinator.ts
 *     shard   fetch -> header -> batch -> decode -> infer -> interpret -> annotate -> commit   flow/inference.ts
 *     merge   commits -> COCO JSON, failures, _SUCCESS                                      flow/coordinator.ts
 *
 * Storage holds the truth and the queue only says what to do next, so every step can be repeated: starting again is
 * resuming. Here one process does it all, on the embedded queue; in a cluster the same coordinator and the same
 * inference are processes of their own (workers/).
 */
import type { Config } from '../config/schema.ts';
import { runSteps } from './flow/coordinator.ts';
import { startInference } from './flow/inference.ts';
import { loadModelPackage } from './model/package.ts';
import { createRun } from './plan/open-run.ts';
import { completionOf, prepareRun } from './plan/prepare-run.ts';
import { openQueue } from './queue/connection.ts';
import { addRun, startRunWorker, waitForRun } from './queue/runs.ts';
import { activateRun } from './run/control.ts';
import type { RunDocument, SuccessDocument } from './run/documents.ts';
import { OpenRuns } from './run/open-runs.ts';
import { RunProgress } from './run/progress.ts';
import { registryOf } from './run/registry.ts';
import { MillraceError } from './runtime/errors.ts';
import { type Lifetime, withLifetime } from './runtime/lifetime.ts';
import type { Logger } from './runtime/log.ts';
import { endProcess } from './runtime/shutdown.ts';
import { type Engine, openEngine } from './shard/engine.ts';
import { folderNotes, notesFolder, removeNotes } from './shard/folder-notes.ts';
import type { Storage } from './storage/storage.ts';

/** How often the end of the run is looked for. */
const POLL_MS = 50;

export interface RunRequest {
  /** What to label. */
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

/**
 * Labels a source in this process, on the embedded queue. Resumes where the output already holds a part of this run;
 * does nothing where it is complete.
 *
 * @throws MillraceError before anything is written, for a source, output, model or option that cannot be used; later
 *   FAILURE_BUDGET_EXCEEDED or INTERRUPTED, after which the run can be resumed.
 */
export function runDataset(request: RunRequest): Promise<RunReport> {
  return withLifetime(async (lifetime) => {
    const modelPackage = await loadModelPackage(request.model);
    const { wanted, output, complete } = await prepareRun(request, modelPackage.manifest, request.config);
    if (complete) return { ...complete, output: output.uri, alreadyComplete: true };

    const engine = await openEngine(modelPackage, request.config, lifetime);
    const run = await createRun(output, wanted);
    await activateRun(output, { maxFailures: request.config.maxFailures });
    const success = await driveRun(run, output, engine, request, lifetime);
    return { ...success, output: output.uri, alreadyComplete: false };
  });
}

/** Puts the run on the queue and works it off: this process is coordinator and worker at once. */
async function driveRun(
  { runId }: RunDocument,
  output: Storage,
  engine: Engine,
  { config, log, signal, onProgress }: RunRequest,
  lifetime: Lifetime,
): Promise<SuccessDocument> {
  await output.removeUnfinishedWrites();
  lifetime.onEnd(async () => void (await output.removeUnfinishedWrites()));
  const queue = await openQueue({ log });
  lifetime.onEnd(() => queue.close());

  const notes = notesFolder(output.uri, runId);
  const progress = new RunProgress(config.maxFailures, signal);
  const registry = registryOf({ schema: 1, runId, output: output.uri, priority: 0 });
  const runs = new OpenRuns(registry, config.allowedUris);
  const steps = runSteps(runs, {
    onPlanned: ({ images }) => {
      progress.planned(images);
      onProgress(progress);
    },
    onCommitted: (commit) => progress.resumedWith(commit),
  });
  startRunWorker(queue, steps, progress.stopped);
  const worker = startInference(engine, {
    queue,
    runs,
    config,
    log,
    observer: progress,
    notesOf: (job) => folderNotes(notes, job.shard, job.generation),
    onUnusable: (error) => endProcess(error, log),
  });
  progress.stopped.addEventListener('abort', () => worker.abort('the run is stopping'), { once: true });

  await addRun(queue, runId);
  const outcome = await waitForRun(queue, runId, { pollMs: POLL_MS, signal: progress.stopped });
  if (outcome.state === 'failed') throw outcome.error;
  const success = await completionOf(output);
  await removeNotes(notes);
  if (!success) throw new MillraceError('RUN_INCOMPLETE', 'the run ended without its results; run it again');
  return success;
}
