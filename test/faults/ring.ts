/** The servers, the dataset and the undisturbed run, which all scenarios share. */
import path from 'node:path';
import { type ClusterServices, startServices } from '../../demo/launch-cluster.ts';
import { Lifetime } from '../../src/runtime/lifetime.ts';
import { openStorage } from '../../src/storage/open.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { type S3Proxy, startS3Proxy } from '../services/s3-proxy.ts';
import { type Dataset, uploadDataset } from './dataset.ts';
import { digestsOf, type Expected } from './invariants.ts';
import { random } from './random.ts';
import { outputUri, Stage } from './stage.ts';

const UNDISTURBED = 'undisturbed';

export interface Ring {
  readonly services: ClusterServices;
  /** The same behind the proxy. */
  readonly faultyServices: ClusterServices;
  readonly proxy: S3Proxy;
  readonly bucketUri: string;
  readonly source: string;
  readonly dataset: Dataset;
  /** The output of the undisturbed run. */
  readonly undisturbed: Storage;
  readonly shardSize: number;
  readonly logFolder: string;
  readonly seed: number;
}

/** A ring whose undisturbed run is done. */
export interface ReadyRing extends Ring {
  readonly expected: Expected;
  stop(): Promise<void>;
}

export interface RingRequest {
  readonly images: number;
  readonly shardSize: number;
  /** Gets the log of each scenario, and the table; below the working folder. */
  readonly logFolder: string;
  readonly seed: number;
}

/** Starts the servers, uploads the dataset, and labels it once without a fault. */
export async function startRing(request: RingRequest): Promise<ReadyRing> {
  const lifetime = new Lifetime();
  try {
    return await start(request, lifetime);
  } catch (error) {
    await lifetime.end();
    throw error;
  }
}

async function start(
  { images, shardSize, logFolder, seed }: RingRequest,
  lifetime: Lifetime,
): Promise<ReadyRing> {
  const services = await startServices();
  lifetime.onEnd(() => services.stop());
  const proxy = await startS3Proxy(services.s3.endpoint);
  lifetime.onEnd(() => proxy.stop());
  // This process itself reads and writes past the proxy.
  Object.assign(process.env, services.s3.environment);
  const environment = { ...services.s3.environment, AWS_ENDPOINT_URL_S3: proxy.endpoint };
  const source = `${services.bucketUri}images/`;
  const ring: Ring = {
    services,
    faultyServices: { ...services, s3: { ...services.s3, endpoint: proxy.endpoint, environment } },
    proxy,
    bucketUri: services.bucketUri,
    source,
    dataset: await uploadDataset(source, images, seed),
    undisturbed: await openStorage(outputUri(services.bucketUri, UNDISTURBED)),
    shardSize,
    logFolder: path.resolve(logFolder),
    seed,
  };
  const stage = new Stage(ring, UNDISTURBED, random(seed));
  try {
    await stage.launch({ workers: 2 });
    await stage.enqueue();
    await stage.untilComplete();
  } finally {
    await stage.end();
  }
  const expected = { keys: ring.dataset.keys, files: await digestsOf(ring.undisturbed) };
  return { ...ring, expected, stop: () => lifetime.end() };
}
