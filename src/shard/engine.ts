import os from 'node:os';
import type { Config } from '../../config/schema.ts';
import { classStyles } from '../draw/class-style.ts';
import { type Model, openModel } from '../model/model.ts';
import type { ModelPackage } from '../model/package.ts';
import type { OpenSession } from '../model/session.ts';
import type { Fingerprint, RunDocument } from '../run/documents.ts';
import { ByteBudget } from '../runtime/byte-budget.ts';
import { MillraceError } from '../runtime/errors.ts';
import type { Lifetime } from '../runtime/lifetime.ts';
import type { Logger } from '../runtime/log.ts';
import { SharedLock } from '../runtime/shared-lock.ts';
import { CPU_CLASS, MILLRACE_VERSION, ONNXRUNTIME_VERSION } from '../runtime/versions.ts';
import type { Source } from '../source/source.ts';
import type { Storage } from '../storage/storage.ts';
import { BatchMemory } from './batch-memory.ts';
import { ImagePool } from './image-pool.ts';
import type { ShardContext } from './shard-context.ts';
import { type StageObserver, UNOBSERVED } from './stage-observer.ts';

/** A worker's part of the context: what is the same for every shard of every run of one model. */
export interface Engine {
  readonly model: Model;
  readonly pool: ImagePool;
  readonly pixelBudget: ByteBudget;
  readonly batchSize: number;
  readonly fingerprint: Fingerprint;
  readonly memory: BatchMemory;
  readonly turns: SharedLock;
  readonly observer: StageObserver;
}

export interface EngineOptions {
  readonly observer?: StageObserver;
  /** One for all engines of a process: an image that is suspected of killing it runs while nothing else does. */
  readonly turns?: SharedLock;
  /** How the model's file becomes a session; ONNX Runtime in a thread if not said. */
  readonly openSession?: OpenSession;
}

/** Threads that an inference may ask for. */
const THREADS_PER_CORE = 4;
const MIN_MAX_THREADS = 64;

/**
 * Opens the model's session and the image pool; both end with `lifetime`.
 *
 * @throws MillraceError BATCH_TOO_LARGE, CONFIG_INVALID, and what `openModel` throws.
 */
export async function openEngine(
  modelPackage: ModelPackage,
  config: Config,
  lifetime: Lifetime,
  { observer = UNOBSERVED, turns = new SharedLock(), openSession }: EngineOptions = {},
): Promise<Engine> {
  const { manifest } = modelPackage;
  const batchSize = config.batchSize ?? manifest.batch.max;
  if (batchSize > manifest.batch.max) {
    throw new MillraceError(
      'BATCH_TOO_LARGE',
      `--batch-size ${batchSize} is above the maximum of the model "${manifest.name}": ${manifest.batch.max} ("batch.max" in its model.json)`,
    );
  }
  const cores = os.availableParallelism();
  const threads = config.threads || cores;
  const maxThreads = Math.max(MIN_MAX_THREADS, THREADS_PER_CORE * cores);
  if (threads > maxThreads) {
    throw new MillraceError(
      'CONFIG_INVALID',
      `--threads ${threads} on ${cores} cores would only make them wait for each other; at most ${maxThreads} are allowed, and 0 is one a core`,
    );
  }
  const runTimeoutMs = config.inferenceTimeoutSeconds * 1000;
  const model = await openModel(
    modelPackage,
    { provider: config.provider, threads, runTimeoutMs },
    openSession,
  );
  lifetime.onEnd(() => model.close());
  const pool = new ImagePool(config.imageThreads || os.availableParallelism());
  lifetime.onEnd(() => pool.close());
  return {
    model,
    pool,
    pixelBudget: new ByteBudget(config.pixelBufferBytes),
    batchSize,
    memory: new BatchMemory(),
    turns,
    observer,
    fingerprint: {
      millrace: MILLRACE_VERSION,
      modelSha256: manifest.sha256,
      onnxruntime: ONNXRUNTIME_VERSION,
      provider: config.provider,
      cpu: CPU_CLASS,
      threads,
      batchSize,
      ladder: manifest.input.pad.ladder,
    },
  };
}

/** What the shards of one run need beside the engine. */
export function shardContext(
  engine: Engine,
  run: RunDocument,
  places: { readonly source: Source; readonly output: Storage },
  config: Config,
  log: Logger,
): Omit<ShardContext, 'onImage'> {
  const { scoreThreshold, labelThreshold, annotate, maxImageBytes, maxImagePixels } = run.options;
  const styles = classStyles(engine.model.package.manifest.classes);
  return {
    ...engine,
    ...places,
    scoreThreshold,
    ...(annotate ? { annotation: { styles, minScore: labelThreshold } } : {}),
    maxImageBytes,
    decodeLimits: { maxPixels: maxImagePixels, timeoutSeconds: config.decodeTimeoutSeconds },
    log,
  };
}
