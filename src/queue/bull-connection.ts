import {
  withBackend,
  type BackendClasses,
  type BackendFactory,
  type FlowProducer,
  type IQueueBackend,
  type JobProgress,
  type JobsOptions,
  type Processor,
  type Queue,
  type Worker,
  type WorkerOptions,
} from 'bullmq';
import { Lifetime } from '../runtime/lifetime.ts';
import type { QueueConnection } from './connection.ts';
import type { QueueSettings } from './defaults.ts';

export type BullQueue = Queue<unknown, unknown, string, unknown, unknown, string, IQueueBackend, unknown>;
export type BullWorker = Worker<unknown, unknown, string, IQueueBackend, JobProgress, unknown>;
export type BullProcessor = Processor<unknown, unknown>;
type BullFlows = FlowProducer<IQueueBackend, unknown>;

/** BullMQ wants a connection in every constructor; the backend has its own. */
const BOUND = { connection: {} };

/** Where BullMQ keeps its jobs. */
export interface BullBackend {
  readonly factory: BackendFactory<IQueueBackend, unknown>;
  close(): Promise<void>;
}

/** One of BullMQ's backends, bound to what it connects to. */
export const bullBackend = <C>(
  factory: BackendFactory<IQueueBackend, C>,
  connection: C,
  close: () => Promise<void>,
): BullBackend => ({
  factory: (name, options, kind) => factory(name, { ...options, connection }, kind),
  close,
});

/** What is behind a `QueueConnection`; for this folder only. It closes all that came from it, newest first. */
export class BullConnection implements QueueConnection {
  readonly settings: QueueSettings;
  readonly onError: (error: Error, context: string) => void;
  readonly #bull: BackendClasses<IQueueBackend, unknown>;
  readonly #lifetime = new Lifetime();
  readonly #queues = new Map<string, BullQueue>();
  #flows: BullFlows | undefined;
  #closed: Promise<void> | undefined;

  constructor(
    backend: BullBackend,
    settings: QueueSettings,
    onError: (error: Error, context: string) => void,
  ) {
    this.settings = settings;
    this.onError = onError;
    this.#bull = withBackend(backend.factory);
    this.#lifetime.onEnd(() => backend.close());
  }

  queue(name: string): BullQueue {
    const open = this.#queues.get(name);
    if (open) return open;
    const queue = new this.#bull.Queue(name, BOUND);
    this.#queues.set(name, queue);
    queue.on('error', (error) => this.onError(error, `queue ${name}`));
    this.#lifetime.onEnd(() => queue.close());
    return queue;
  }

  flows(): BullFlows {
    if (this.#flows) return this.#flows;
    const flows = new this.#bull.FlowProducer(BOUND);
    this.#flows = flows;
    flows.on('error', (error) => this.onError(error, 'adding jobs'));
    this.#lifetime.onEnd(() => flows.close());
    return flows;
  }

  worker(
    name: string,
    processor: BullProcessor,
    options: Pick<WorkerOptions, 'concurrency' | 'maxStartedAttempts'>,
  ): BullWorker {
    const { lockDurationMs, stalledIntervalMs, maxStalledCount } = this.settings;
    const worker = new this.#bull.Worker(name, processor, {
      ...BOUND,
      ...options,
      lockDuration: lockDurationMs,
      stalledInterval: stalledIntervalMs,
      maxStalledCount,
    });
    worker.on('error', (error) => this.onError(error, `worker of ${name}`));
    this.#lifetime.onEnd(() => worker.close());
    return worker;
  }

  close(): Promise<void> {
    this.#closed ??= this.#lifetime.end();
    return this.#closed;
  }
}

export function bullOf(connection: QueueConnection): BullConnection {
  if (connection instanceof BullConnection) return connection;
  throw new TypeError('not a connection that openQueue made');
}

/** What every job is added with. Its stack is not kept: it holds paths, and the board shows it. */
export const jobOptions = (settings: QueueSettings): JobsOptions => ({
  attempts: settings.attempts,
  backoff: { type: 'exponential', delay: settings.retryDelayMs, jitter: settings.retryJitter },
  removeOnComplete: { age: settings.keepCompleted.ageSeconds, count: settings.keepCompleted.count },
  removeOnFail: { age: settings.keepFailed.ageSeconds, count: settings.keepFailed.count },
  stackTraceLimit: 0,
});

/**
 * Makes room for a job of the same id: BullMQ silently ignores an id that it still keeps. A job that has not finished
 * stays.
 */
export async function forgetFinished(
  queue: BullQueue,
  jobId: string,
  removeChildren: boolean,
): Promise<void> {
  const job = await queue.getJob(jobId);
  if (job?.finishedOn !== undefined) await job.remove({ removeChildren });
}
