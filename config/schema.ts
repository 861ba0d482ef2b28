import { z } from 'zod';
import { PROVIDERS } from '../src/model/session.ts';

const MIB = 1024 * 1024;

/** A budget of failed images: `5%` of the images, or `20` images. */
const failureBudget = z
  .union([z.string(), z.number()])
  .transform(String)
  .pipe(z.string().regex(/^(\d+(\.\d+)?%|\d+)$/, 'a share such as "5%" or a count such as "20"'))
  .transform((text) =>
    text.endsWith('%') ? { share: Number(text.slice(0, -1)) / 100 } : { count: Number(text) },
  )
  .refine((budget) => !('share' in budget) || budget.share <= 1, 'a share is at most 100%');

/** `a,b` in the environment, a list in the file. */
const uriList = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (typeof value === 'string' ? value.split(',') : value))
  .pipe(z.array(z.string().trim().min(1, 'no empty URI')).min(1));

/**
 * Everything that a deployment can set, with defaults and units. A setting `fooBar` is `fooBar` in `millrace.yaml`,
 * `MILLRACE_FOO_BAR` in the environment and `--foo-bar` where a command has a flag for it.
 */
export const configSchema = z.strictObject({
  /** ONNX Runtime's execution provider. */
  provider: z.enum(PROVIDERS).default('cpu'),
  /** Threads of one inference; 0 means one a processor core. */
  threads: z.int().min(0).max(1024).default(0),
  /** Images in one `session.run`; the model's maximum where it is not set. */
  batchSize: z.int().positive().optional(),
  /** Images in a shard; `auto`: a 32nd of the images, at most 256. */
  shardSize: z.union([z.literal('auto'), z.int().min(1).max(256)]).default('auto'),
  /** Detections below it are dropped; the model's own threshold where it is not set. */
  scoreThreshold: z.number().min(0).max(1).optional(),
  /** Detections below it are neither drawn nor in annotations.json; the model's own where it is not set. */
  labelThreshold: z.number().min(0).max(1).optional(),
  /** Draw the detections on a copy of each image. */
  annotate: z.boolean().default(true),
  /** More failed images than this stop the run; `5%` where it is not set. */
  maxFailures: failureBudget.optional(),
  /** Larger image files fail as `too_large`. */
  maxImageBytes: z
    .int()
    .positive()
    .default(64 * MIB),
  /** Images with more pixels fail as `too_large`. */
  maxImagePixels: z.int().positive().default(100_000_000),
  /** Seconds that decoding one image may take. */
  decodeTimeoutSeconds: z.int().positive().default(60),
  /** Seconds that one inference may take, from when its turn comes; its thread is ended then. */
  inferenceTimeoutSeconds: z.int().positive().max(86_400).default(600),
  /** Decoded pixels that one process holds between its stages. */
  pixelBufferBytes: z
    .int()
    .positive()
    .default(512 * MIB),
  /** Threads for resampling, masks and drawing; 0 means one a processor core. */
  imageThreads: z.int().min(0).max(64).default(0),
  /** Where a deployment keeps `runs/<runId>.json`: a storage URI that producers write and its processes read. */
  registry: z.string().min(1).optional(),
  /** What the processes of a deployment may read and write: URI prefixes; anything where it is not set. */
  allowedUris: uriList.optional(),
  /** How long a process that is told to stop may take to finish or give back its work. */
  drainSeconds: z.int().min(0).max(3600).default(60),
  /** How often the coordinator looks for runs that the queue has forgotten. */
  reconcileSeconds: z.number().positive().max(86_400).default(60),
  /** How long a process that has died keeps its job; a living one renews at half of it. */
  lockSeconds: z.number().min(1).max(3600).default(60),
  /** How often the jobs of dead processes are looked for. */
  stalledSeconds: z.number().min(1).max(3600).default(30),
  /** Port of `/livez`, `/readyz`, `/startupz` and `/metrics` of coordinator and worker; 0: any that is free. */
  httpPort: z.int().min(0).max(65_535).default(9464),
  /** Port of the board; 0: any that is free. */
  boardPort: z.int().min(0).max(65_535).default(3000),
  /** Who may log in to the board; the password is MILLRACE_BOARD_PASSWORD. */
  boardUser: z.string().min(1).max(128).default('millrace'),
  /** `warn` for a command that ends by itself, `info` for a process of a cluster. */
  logLevel: z.enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug']).optional(),
});

export type Config = z.infer<typeof configSchema>;
