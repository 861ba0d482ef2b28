/**
 * A whole cluster on one machine, each part a process of its own: Redis, an S3 server, coordinator, workers, board. The
 * demo and the tests start it.
 */
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../src/runtime/package-root.ts';
import { Lifetime } from '../src/runtime/lifetime.ts';
import { type RedisServer, startRedis } from '../test/services/redis.ts';
import type { S3Server } from '../test/services/s3-server.ts';
import { startVersityGateway } from '../test/services/versitygw.ts';
import { startProcess, type RunningProcess } from './process.ts';

export const MILLRACE = fileURLToPath(new URL('dist/src/cli/main.js', packageRoot));

/** What keeps the data of a cluster; several clusters may use it, one after the other. */
export interface ClusterServices {
  readonly redis: RedisServer;
  readonly s3: S3Server;
  /** `s3://bucket/` that holds everything. */
  readonly bucketUri: string;
  /** Ends both, and removes what they kept. */
  stop(): Promise<void>;
}

export interface ClusterRequest {
  /** Those of its own that end with it, where it is given none. */
  readonly services?: ClusterServices;
  /** Model packages that every worker serves. */
  readonly models: readonly string[];
  /** 1 if not given. */
  readonly coordinators?: number;
  readonly workers: number;
  readonly board: boolean;
  /** More variables for every process. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Hears what the processes log, a line each. */
  readonly onLog?: (name: string, line: string) => void;
}

export interface LocalCluster {
  /** `s3://bucket/` that holds everything. */
  readonly bucketUri: string;
  /** What a producer needs in its environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly coordinators: readonly RunningProcess[];
  readonly workers: readonly RunningProcess[];
  readonly board?: { readonly url: string; readonly user: string; readonly password: string };
  /** `environment`: more variables for this process alone. */
  startWorker(name: string, environment?: Readonly<Record<string, string>>): Promise<RunningProcess>;
  startCoordinator(name: string, environment?: Readonly<Record<string, string>>): Promise<RunningProcess>;
  /** All that were started, also those that have ended. */
  processes(): readonly RunningProcess[];
  /** Ends every process, and the services where they are its own. */
  stop(): Promise<void>;
}

const BUCKET = 'millrace';
const BOARD_USER = 'millrace';

/** Starts them all and waits until each is ready. */
export async function launchCluster(request: ClusterRequest): Promise<LocalCluster> {
  const lifetime = new Lifetime();
  try {
    return await launch(request, lifetime);
  } catch (error) {
    await lifetime.end();
    throw error;
  }
}

/** Starts Redis and an S3 server, with a bucket. */
export async function startServices(): Promise<ClusterServices> {
  const lifetime = new Lifetime();
  try {
    const redis = await startRedis();
    lifetime.onEnd(() => redis.stop());
    const s3 = await startVersityGateway();
    lifetime.onEnd(() => s3.stop());
    await s3.createBucket(BUCKET);
    return { redis, s3, bucketUri: `s3://${BUCKET}/`, stop: () => lifetime.end() };
  } catch (error) {
    await lifetime.end();
    throw error;
  }
}

async function launch(request: ClusterRequest, lifetime: Lifetime): Promise<LocalCluster> {
  const services = request.services ?? (await startServices());
  if (!request.services) lifetime.onEnd(() => services.stop());
  const { redis, s3, bucketUri } = services;
  const environment = {
    ...s3.environment,
    QUEUE_URL: redis.url,
    MILLRACE_REGISTRY: `${bucketUri}registry/`,
    MILLRACE_ALLOWED_URIS: bucketUri,
    MILLRACE_HTTP_PORT: '0',
    MILLRACE_BOARD_PORT: '0',
    ...request.environment,
  };
  const processes: RunningProcess[] = [];
  const start = async (name: string, argv: readonly string[], extra = {}): Promise<RunningProcess> => {
    const started = await startProcess(name, [MILLRACE, ...argv], {
      environment: { ...environment, ...extra },
      ...(request.onLog && { onLog: request.onLog }),
    });
    processes.push(started);
    lifetime.onEnd(() => started.stop());
    return started;
  };
  const startWorker: LocalCluster['startWorker'] = (name, extra) =>
    start(name, ['worker', ...request.models.flatMap((model) => ['--model', model])], extra);
  const startCoordinator: LocalCluster['startCoordinator'] = (name, extra) =>
    start(name, ['coordinator'], extra);

  const names = (kind: string, count: number): string[] =>
    Array.from({ length: count }, (_, index) => `${kind}-${index + 1}`);
  const [coordinators, workers] = await Promise.all([
    Promise.all(names('coordinator', request.coordinators ?? 1).map((name) => startCoordinator(name))),
    Promise.all(names('worker', request.workers).map((name) => startWorker(name))),
  ]);
  const started = { coordinators, workers, startWorker, startCoordinator, processes: () => processes };
  const cluster = { bucketUri, environment, ...started };
  const stop = (): Promise<void> => lifetime.end();
  if (!request.board) return { ...cluster, stop };
  const password = randomBytes(12).toString('base64url');
  const board = await start('board', ['board'], { MILLRACE_BOARD_PASSWORD: password });
  return { ...cluster, board: { url: board.readyFields.url ?? '', user: BOARD_USER, password }, stop };
}
