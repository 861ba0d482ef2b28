import {
  withBackend,
  type BackendClasses,
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
import type { BullBackend } from './backend.ts';
import type { QueueSettings } from './defaults.ts';
import type { QueueConnection, QueueKind } from './queue-connection.ts';

export type BullQueue = Queue<unknown, unknown, string, unknown, unknown, string, IQueueBackend, unknown>;
export type BullWorker = Worker<unknown, unknown, string, IQueueBackend, JobProgress, unknown>;
export type BullProcessor = Processor<unknown, unknown>;
type BullFlows = FlowProducer<IQueueBackend, unknown>;

/** How long a worker waits after its store failed it. */
const RETRY_DELAY_MS = 2_000;

/** BullMQ wants a connection in every constructor; the backend has its own. */
const BOUND = { connection: {} };

/** What is behind a `QueueConnection`; for this folder only. It closes all that came from it, newest first. */
export class BullConnection implements QueueConnection {
  readonly backend: BullBackend;
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
    this.backend = backend;
    this.settings = settings;
    this.onError = onError;
    this.#bull = withBackend(backend.factory);
    this.#lifetime.onEnd(() => backend.close());
  }

  get kind(): QueueKind {
    return this.backend.kind;
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
      runRetryDelay: RETRY_DELAY_MS,
    });
    worker.on('error', (error) => this.onError(error, `worker of ${name}`));
    // One that is out of reach can be told nothing any more, and would be waited for without end.
    this.#lifetime.onEnd(() => worker.close(!this.backend.reachable));
    return worker;
  }

  ping(): Promise<void> {
    return this.backend.ping();
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
export const jobOptions = (settings: QueueSettings, priority: number): JobsOptions => ({
  priority,
  attempts: settings.attempts,
  backoff: { type: 'exponential', delay: settings.retryDelayMs, jitter: settings.retryJitter },
  removeOnComplete: { age: settings.keepCompleted.ageSeconds, count: settings.keepCompleted.count },
  removeOnFail: { age: settings.keepFailed.ageSeconds, count: settings.keepFailed.count },
  stackTraceLimit: 0,
});
