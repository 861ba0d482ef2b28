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
  /** Decoded pixels that one process holds between its stages. */
  pixelBufferBytes: z
    .int()
    .positive()
    .default(512 * MIB),
  /** Threads for resampling, masks and drawing; 0 means one a processor core. */
  imageThreads: z.int().min(0).max(64).default(0),
  logLevel: z.enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug']).default('warn'),
});

export type Config = z.infer<typeof configSchema>;
