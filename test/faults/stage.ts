import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { launchCluster, type LocalCluster } from '../../demo/launch-cluster.ts';
import type { RunningProcess } from '../../demo/process.ts';
import { RunFollower, type RunStatus } from '../../src/flow/follow.ts';
import { Lifetime } from '../../src/runtime/lifetime.ts';
import { openStorage } from '../../src/storage/open.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { type CliResult, fixtureModel, millrace } from '../integration/helpers/cli.ts';
import type { RedisServer } from '../services/redis.ts';
import { checkSuccess } from './invariants.ts';
import type { Ring } from './ring.ts';
import { supervise, type Supervised } from './supervise.ts';

export const MODEL_NAME = 'tiny-mask-rcnn';
export const MODEL = fixtureModel(MODEL_NAME);

const POLL_MS = 100;
const COMPLETE_TIMEOUT_MS = 300_000;

type Environment = Readonly<Record<string, string>>;

/** Every process of a scenario has these. */
const ENVIRONMENT: Environment = {
  MILLRACE_LOCK_SECONDS: '2',
  MILLRACE_STALLED_SECONDS: '1',
  MILLRACE_RECONCILE_SECONDS: '1',
  MILLRACE_THREADS: '1',
  MILLRACE_IMAGE_THREADS: '1',
  MILLRACE_DRAIN_SECONDS: '5',
  MILLRACE_ANNOTATE: 'false',
};

interface LaunchRequest {
  readonly coordinators?: number;
  readonly workers?: number;
  readonly environment?: Environment;
  /** Another one than the ring's. */
  readonly redis?: RedisServer;
}

/** The place of one scenario: an output and a registry of its own, on the servers of the ring. */
export class Stage {
  readonly ring: Ring;
  readonly name: string;
  /** Seeded by the ring's seed and the scenario's name. */
  readonly random: () => number;
  /** Where the results go; a scenario may choose another place before it enqueues. */
  output: string;
  readonly violations = new Set<string>();
  readonly #environment: Environment;
  readonly #logFile: string;
  readonly #clusters: LocalCluster[] = [];
  readonly #lines: string[] = [];
  readonly #lifetime = new Lifetime();
  #follower: RunFollower | undefined;
  #over = false;
  readonly #supervised: Supervised[] = [];
  #watching: Promise<void> | undefined;

  constructor(ring: Ring, name: string, random: () => number) {
    this.ring = ring;
    this.name = name;
    this.random = random;
    const id = name.replaceAll(/[^a-z0-9]+/gi, '-');
    this.output = outputUri(ring.bucketUri, id);
    this.#environment = { ...ENVIRONMENT, MILLRACE_REGISTRY: `${ring.bucketUri}registries/${id}/` };
    mkdirSync(ring.logFolder, { recursive: true });
    this.#logFile = path.join(ring.logFolder, `${id}.log`);
    writeFileSync(this.#logFile, '');
  }

  /** The first that was launched. */
  get cluster(): LocalCluster {
    const [cluster] = this.#clusters;
    if (!cluster) throw new Error('the scenario has not called launch()');
    return cluster;
  }

  /** The output, read past the proxy. */
  storage(): Promise<Storage> {
    return openStorage(this.output);
  }

  /** Nothing is started but what is asked for; the processes reach S3 through the proxy. */
  async launch({
    coordinators = 1,
    workers = 0,
    environment,
    redis,
  }: LaunchRequest = {}): Promise<LocalCluster> {
    const services = this.ring.faultyServices;
    const cluster = await launchCluster({
      services: redis ? { ...services, redis } : services,
      models: [MODEL],
      coordinators,
      workers,
      board: false,
      environment: { ...this.#environment, ...environment },
      onLog: (name, line) => this.log(`${name} ${line}`),
    });
    this.#clusters.push(cluster);
    return cluster;
  }

  /** Undone when all has ended, after the invariants were checked. */
  onEnd(release: () => Promise<void>): void {
    this.#lifetime.onEnd(release);
  }

  /** Lines of the processes' logs that match. */
  logged(pattern: RegExp): number {
    return this.#lines.filter((line) => pattern.test(line)).length;
  }

  log(line: string): void {
    this.#lines.push(line);
    appendFileSync(this.#logFile, `${new Date().toISOString()} ${line}\n`);
  }

  /** A command of a producer, which reaches S3 past the proxy. */
  async cli(...argv: string[]): Promise<CliResult> {
    const result = await millrace(argv, {
      environment: { ...this.cluster.environment, ...this.ring.services.s3.environment },
    });
    this.log(`$ millrace ${argv.join(' ')} -> ${result.exitCode} ${result.stdout}${result.stderr}`);
    return result;
  }

  /** Enqueues the dataset of the ring. @throws Error where that fails. */
  async enqueue(...flags: string[]): Promise<void> {
    const { source, shardSize } = this.ring;
    const size = ['--shard-size', String(shardSize)];
    const argv = ['enqueue', source, '--model', MODEL, '--output', this.output, ...size, ...flags];
    expectSuccess(await this.cli(...argv));
    this.#watching ??= this.#watchSuccess();
  }

  /**
   * Starts a process again whenever it ends. `first` is added to the environment of its first life only: a failpoint
   * would kill every life.
   */
  async supervise(
    name: string,
    kind: 'worker' | 'coordinator',
    first: Environment = {},
    always: Environment = {},
  ): Promise<Supervised> {
    const start = (life: number): Promise<RunningProcess> => {
      const environment = life === 1 ? { ...always, ...first } : always;
      return kind === 'worker'
        ? this.cluster.startWorker(`${name}#${life}`, environment)
        : this.cluster.startCoordinator(`${name}#${life}`, environment);
    };
    const supervised = await supervise(start, (how) => this.log(`${name} ${how}`));
    this.#supervised.push(supervised);
    return supervised;
  }

  async superviseWorkers(
    count: number,
    first: Environment = {},
    always: Environment = {},
  ): Promise<Supervised[]> {
    const names = Array.from({ length: count }, (_, index) => `worker-${index + 1}`);
    return Promise.all(names.map((name) => this.supervise(name, 'worker', first, always)));
  }

  async status(): Promise<RunStatus> {
    this.#follower ??= new RunFollower(await this.storage());
    return this.#follower.look();
  }

  /** @throws Error with where the run stands when that takes too long, or when the run ends otherwise. */
  async until(wanted: (status: RunStatus) => boolean, timeoutMs = COMPLETE_TIMEOUT_MS): Promise<RunStatus> {
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const status = await this.status();
      if (wanted(status)) return status;
      const state = JSON.stringify(status);
      if (status.state === 'failed' || status.state === 'over-budget')
        throw new Error(`the run ended: ${state}`);
      if (status.state === 'complete') throw new Error(`the run is complete before its fault: ${state}`);
      if (performance.now() > deadlineMs) throw new Error(`the run stands at ${state}, see ${this.#logFile}`);
      await setTimeout(POLL_MS);
    }
  }

  untilComplete(): Promise<RunStatus> {
    return this.until(({ state }) => state === 'complete');
  }

  untilCommitted(shards: number): Promise<RunStatus> {
    return this.until(({ committedShards }) => committedShards >= shards);
  }

  /** Ends every process at once. */
  async end(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#supervised.map((process) => process.end()));
    for (const { child } of this.#clusters.flatMap((cluster) => cluster.processes())) child.kill('SIGKILL');
    await Promise.all(this.#clusters.map((cluster) => cluster.stop()));
    await this.#watching;
    await this.#lifetime.end();
  }

  /** `_SUCCESS` may not be there, not for a moment, before all that it promises. */
  async #watchSuccess(): Promise<void> {
    const storage = await this.storage();
    while (!this.#over) {
      for (const violation of await checkSuccess(storage)) this.violations.add(violation);
      await setTimeout(POLL_MS);
    }
  }
}

export const outputUri = (bucketUri: string, id: string): string => `${bucketUri}outputs/${id}/`;

export function expectSuccess({ exitCode, stderr }: CliResult): void {
  if (exitCode !== 0) throw new Error(`the command ended with ${exitCode}: ${stderr}`);
}
