/** What a worker does with each shard: fetch -> decode -> batch -> infer -> interpret -> annotate -> commit. */
import type { Config } from '../../config/schema.ts';
import { readShard } from '../plan/plan-run.ts';
import type { QueueConnection } from '../queue/connection.ts';
import type { JobWorker } from '../queue/job-worker.ts';
import type { ShardJob } from '../queue/jobs.ts';
import { startShardWorker, type TakenJob } from '../queue/shards.ts';
import { whileActive } from '../run/control.ts';
import type { CommitDocument } from '../run/documents.ts';
import type { ImageRecord } from '../run/record.ts';
import type { OpenRun, OpenRuns } from '../run/open-runs.ts';
import { isMillraceError, MillraceError, toError } from '../runtime/errors.ts';
import { jobLogger, type Logger } from '../runtime/log.ts';
import { type Engine, shardContext } from '../shard/engine.ts';
import { processShard } from '../shard/process-shard.ts';
import type { ShardNotes } from '../shard/shard-notes.ts';
import type { Storage } from '../storage/storage.ts';

/** Shards under way in one process: while one infers, the next is fetched and decoded. */
const SHARD_CONCURRENCY = 2;
/** How soon a worker learns that a run was cancelled. */
const CONTROL_POLL_MS = 2_000;

/** Hears of the shards of a process. */
export interface ShardObserver {
  /** A shard is tried, for the first time or again. */
  begin(shard: number): void;
  onImage(shard: number, record: ImageRecord): void;
  committed(commit: CommitDocument): void;
  /** A shard was not committed; `error` may pass, or end the run. */
  failed(error: Error): void;
}

export interface InferenceOptions {
  readonly queue: QueueConnection;
  readonly runs: OpenRuns;
  readonly config: Config;
  readonly log: Logger;
  readonly observer: ShardObserver;
  /** Where a shard's notes survive the death of this process. */
  readonly notesOf: (job: ShardJob, taken: TakenJob, output: Storage) => ShardNotes;
  /** Told when this process can infer nothing any more: it has to be ended by a signal, since its thread hangs. */
  readonly onUnusable: (error: MillraceError) => void;
  readonly onLostLock?: () => void;
}

/** Takes the shards of the engine's model, of every run that has some. */
export function startInference(engine: Engine, options: InferenceOptions): JobWorker {
  return startShardWorker(options.queue, {
    model: engine.model.package.manifest.name,
    concurrency: SHARD_CONCURRENCY,
    ...(options.onLostLock && { onLostLock: options.onLostLock }),
    process: async (job, signal, taken) => {
      const { observer } = options;
      const log = jobLogger(options.log, { run: job.runId, shard: job.shard, attempt: taken.attempt });
      try {
        observer.begin(job.shard);
        const open = await options.runs.open(job.runId);
        assertSameModel(engine, open);
        observer.committed(
          await whileActive(open.output, CONTROL_POLL_MS, (stopped) =>
            doShard(job, open, engine, { ...options, log }, AbortSignal.any([signal, stopped]), taken),
          ),
        );
      } catch (error) {
        if (!signal.aborted) {
          observer.failed(toError(error));
          if (!isMillraceError(error, 'RUN_CANCELLED')) log.warn({ err: error }, 'a shard was not committed');
          if (isMillraceError(error, 'PROCESS_UNUSABLE')) options.onUnusable(error);
        }
        throw error;
      }
    },
  });
}

async function doShard(
  job: ShardJob,
  open: OpenRun,
  engine: Engine,
  { config, log, observer, notesOf }: InferenceOptions,
  signal: AbortSignal,
  taken: TakenJob,
): Promise<CommitDocument> {
  const { run, output, source } = open;
  const images = await readShard(output, await open.plan(), job.shard);
  const context = {
    ...shardContext(engine, run, { source, output }, config, log),
    notes: notesOf(job, taken, output),
    onImage: (record: ImageRecord) => observer.onImage(job.shard, record),
  };
  return processShard(job, images, context, signal);
}

/** @throws MillraceError MODEL_MISMATCH: another worker may have the run's model. */
function assertSameModel(engine: Engine, { run }: OpenRun): void {
  const { manifest } = engine.model.package;
  if (JSON.stringify(manifest) === JSON.stringify(run.model)) return;
  throw new MillraceError(
    'MODEL_MISMATCH',
    `run ${run.runId} wants the model "${run.model.name}" with SHA-256 ${run.model.sha256}, and this worker has ` +
      `${manifest.sha256 === run.model.sha256 ? 'another model.json for it' : manifest.sha256}. ` +
      `Start workers with the package that the run was enqueued with.`,
  );
}
