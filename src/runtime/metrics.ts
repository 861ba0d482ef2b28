import { monitorEventLoopDelay } from 'node:perf_hooks';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Every name below is part of the interface: dashboards and alerts use it. `docs/observe.md` lists them. */

const STAGE_BUCKETS_SECONDS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100];
const BATCH_BUCKETS_IMAGES = [1, 2, 4, 8, 16, 32, 64, 128];
const QUANTILES = [0.5, 0.9, 0.99, 1];

/** How often the event loop is looked at; a loop that is free answers within it. */
const LOOP_RESOLUTION_MS = 10;

/** Below the ten seconds after which Prometheus gives up on a scrape. */
const CLUSTER_TIMEOUT_MS = 3_000;

/** Jobs of one queue. */
export interface QueueDepth {
  readonly queue: string;
  /** State (`waiting`, `active`, ...) to the number of jobs in it. */
  readonly jobs: Readonly<Record<string, number>>;
  /** Age of the job that has waited longest; 0 where none waits. */
  readonly oldestSeconds: number;
}

/** What the coordinator sees from outside the process; asked for at each scrape. */
export interface ClusterState {
  readonly queues: readonly QueueDepth[];
  /** State of a run to the number of runs in it. */
  readonly runs: Readonly<Record<string, number>>;
}

/** Times of the stages and sizes of the batches of one model; what `src/shard` reports to. */
export interface ModelMetrics {
  stage(stage: string, seconds: number): void;
  /** `pixels` went through the network for it, `padding` of them for nothing. */
  batch(images: number, pixels: { readonly total: number; readonly padding: number }): void;
  memoryHalved(): void;
  image(outcome: string): void;
}

/** The metrics of one process, in a registry of their own. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });

  readonly #images = this.#counter('millrace_images_total', 'Images that ended, by outcome', [
    'model',
    'outcome',
  ]);
  readonly #stages = this.#histogram(
    'millrace_stage_seconds',
    'Time of one stage for one image or batch',
    ['model', 'stage'],
    STAGE_BUCKETS_SECONDS,
  );
  readonly #batches = this.#histogram(
    'millrace_batch_images',
    'Images in one inference',
    ['model'],
    BATCH_BUCKETS_IMAGES,
  );
  readonly #pixels = this.#counter('millrace_network_pixels_total', 'Pixels that went through the network', [
    'model',
  ]);
  readonly #padding = this.#counter('millrace_padding_pixels_total', 'Those of them that were padding', [
    'model',
  ]);
  readonly #halvings = this.#counter('millrace_memory_halvings_total', 'Batches halved for lack of memory', [
    'model',
  ]);
  readonly #lostLocks = this.#counter(
    'millrace_lost_locks_total',
    'Jobs lost to another worker while at work',
    ['queue'],
  );
  readonly #loopDelay = this.#gauge(
    'millrace_event_loop_delay_seconds',
    'Time that the main thread was late, since the last scrape',
    ['quantile'],
  );
  readonly #queueJobs = this.#gauge('millrace_queue_jobs', 'Jobs by queue and state', ['queue', 'state']);
  readonly #queueAge = this.#gauge(
    'millrace_queue_oldest_seconds',
    'Age of the job that has waited longest',
    ['queue'],
  );
  readonly #runs = this.#gauge('millrace_runs', 'Runs by state', ['state']);
  readonly #unseen = this.#counter(
    'millrace_cluster_state_errors_total',
    'Scrapes without queue depths and runs, because the queue or the storage did not answer',
    [],
  );

  #clusterState: (() => Promise<ClusterState>) | undefined;
  #clusterTimeoutMs = 0;
  #asked: Promise<ClusterState> | undefined;

  constructor() {
    this.#loop.enable();
    collectDefaultMetrics({ register: this.#registry });
  }

  /** The content type of `text()`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All metrics as they are now, as Prometheus reads them. */
  async text(): Promise<string> {
    this.#readLoop();
    await this.#readCluster();
    return this.#registry.metrics();
  }

  /**
   * Asks for the state of the cluster at each scrape from now on: the coordinator does. A scrape that has no answer
   * within `timeoutMs` goes without.
   */
  watchCluster(clusterState: () => Promise<ClusterState>, timeoutMs = CLUSTER_TIMEOUT_MS): void {
    this.#clusterState = clusterState;
    this.#clusterTimeoutMs = timeoutMs;
  }

  /** A job's lock has expired, and another worker may have the job. */
  lostLock(queue: string): void {
    this.#lostLocks.inc({ queue });
  }

  /** What the work on one model is counted in. */
  forModel(model: string): ModelMetrics {
    return {
      stage: (stage, seconds) => this.#stages.observe({ model, stage }, seconds),
      batch: (images, { total, padding }) => {
        this.#batches.observe({ model }, images);
        this.#pixels.inc({ model }, total);
        this.#padding.inc({ model }, padding);
      },
      memoryHalved: () => this.#halvings.inc({ model }),
      image: (outcome) => this.#images.inc({ model, outcome }),
    };
  }

  /** Stops watching the event loop. */
  close(): void {
    this.#loop.disable();
  }

  #readLoop(): void {
    for (const quantile of QUANTILES) {
      const lateMs = this.#loop.percentile(quantile * 100) / 1e6 - LOOP_RESOLUTION_MS;
      this.#loopDelay.set({ quantile: String(quantile) }, Math.max(0, lateMs) / 1000);
    }
    this.#loop.reset();
  }

  async #readCluster(): Promise<void> {
    if (!this.#clusterState) return;
    // Old numbers would look like a queue that stands still.
    for (const gauge of [this.#queueJobs, this.#queueAge, this.#runs]) gauge.reset();
    const state = await this.#askCluster(this.#clusterState);
    if (!state) {
      this.#unseen.inc();
      return;
    }
    for (const { queue, jobs, oldestSeconds } of state.queues) {
      for (const [name, count] of Object.entries(jobs)) this.#queueJobs.set({ queue, state: name }, count);
      this.#queueAge.set({ queue }, oldestSeconds);
    }
    for (const [name, count] of Object.entries(state.runs)) this.#runs.set({ state: name }, count);
  }

  /** One question at a time: with the queue away they would only pile up. */
  async #askCluster(ask: () => Promise<ClusterState>): Promise<ClusterState | undefined> {
    this.#asked ??= ask().finally(() => (this.#asked = undefined));
    const asked = this.#asked.catch(() => undefined);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), this.#clusterTimeoutMs);
    });
    return await Promise.race([asked, late]).finally(() => clearTimeout(timer));
  }

  #counter<L extends string>(name: string, help: string, labelNames: L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  #gauge<L extends string>(name: string, help: string, labelNames: L[]): Gauge<L> {
    return new Gauge({ name, help, labelNames, registers: [this.#registry] });
  }

  #histogram<L extends string>(name: string, help: string, labelNames: L[], buckets: number[]): Histogram<L> {
    return new Histogram({ name, help, labelNames, buckets, registers: [this.#registry] });
  }
}
