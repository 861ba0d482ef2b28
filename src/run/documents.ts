import { z } from 'zod';
import { modelManifest } from '../model/manifest.ts';
import { FAILURE_CLASSES } from '../runtime/image-failure.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in 64 hex digits');

const failureCounts = z.partialRecord(z.enum(FAILURE_CLASSES), z.int().positive());

const failureBudget = z.union([
  z.strictObject({ share: z.number().min(0).max(1) }),
  z.strictObject({ count: z.int().nonnegative() }),
]);

const networkPixels = z.strictObject({ total: z.int().nonnegative(), padding: z.int().nonnegative() });

/** The options that affect results or what is written. Two runs on one output must agree on them. */
const runOptions = z.strictObject({
  /** Detections below it are not kept. */
  scoreThreshold: z.number().min(0).max(1),
  /** Detections below it are neither drawn nor written to `annotations.json`. */
  labelThreshold: z.number().min(0).max(1),
  /** Images in a shard, or `auto`: a 32nd of the images, at most 256. */
  shardSize: z.union([z.int().positive(), z.literal('auto')]),
  annotate: z.boolean(),
  /** Larger files and larger images are failures. */
  maxImageBytes: z.int().positive(),
  maxImagePixels: z.int().positive(),
});

/** `run.json`: what was asked. Written once, never changed. */
export const runDocument = z.strictObject({
  schema: z.literal(1),
  runId: z.string(),
  source: z.string(),
  /** The whole `model.json`, defaults filled in: planning and merging need no model file. */
  model: modelManifest,
  options: runOptions,
  versions: z.strictObject({ millrace: z.string(), onnxruntime: z.string(), node: z.string() }),
  /** The effective configuration at creation, for the reader; nothing is decided from it. */
  config: z.record(z.string(), z.unknown()),
});

/** A line of `plan/*.jsonl`. */
export const plannedImage = z.strictObject({
  /** The COCO image id. */
  id: z.int().positive(),
  /** Name in the source; COCO `file_name`. */
  key: z.string(),
  /** Where its bytes are, where that does not follow from the source and the key. */
  uri: z.string().optional(),
  size: z.int().nonnegative().optional(),
  etag: z.string().optional(),
});

/** `plan.json`: the plan's own commit; created only if absent, so one planner's listing is final. */
export const planDocument = z.strictObject({
  schema: z.literal(1),
  images: z.int().nonnegative(),
  shardSize: z.int().positive(),
  /** In shard order. */
  parts: z.array(z.strictObject({ digest: sha256, images: z.int().positive() })),
});

/** What may change a float. Equal fingerprints give equal bytes. */
const fingerprint = z.strictObject({
  millrace: z.string(),
  modelSha256: sha256,
  onnxruntime: z.string(),
  provider: z.string(),
  cpu: z.string(),
  threads: z.int(),
  batchSize: z.int(),
  ladder: z.union([z.literal('exact'), z.array(z.tuple([z.int(), z.int()]))]),
});

/** `commits/N.G.json`: the object whose creation makes a shard's result final. */
export const commitDocument = z.strictObject({
  schema: z.literal(1),
  shard: z.int().nonnegative(),
  generation: z.int().nonnegative(),
  images: z.int().nonnegative(),
  labelled: z.int().nonnegative(),
  detections: z.int().nonnegative(),
  failures: failureCounts,
  records: z.strictObject({ key: z.string(), sha256, bytes: z.int().nonnegative() }),
  /** Pixels that went through the network, and how many of them were padding. */
  networkPixels,
  fingerprint,
});

/** Of why a run was stopped. */
export const MAX_REASON_CHARACTERS = 4_000;

/**
 * `control.json`: what its user wants of a run, replaced by every command that changes it. Without one a run is active,
 * at generation 0.
 */
export const controlDocument = z.strictObject({
  schema: z.literal(1),
  state: z.enum(['active', 'cancelled', 'over-budget', 'failed']),
  /** Shards whose latest commit is older and has failed images are tried again, under this generation. */
  generation: z.int().nonnegative(),
  /** What stops the run by itself; the default budget where it is not set. */
  maxFailures: failureBudget.optional(),
  /** Why it was stopped. */
  reason: z.string().max(MAX_REASON_CHARACTERS).optional(),
});

/** `<registry>/runs/<runId>.json`: where a run is, for those who know its id only. */
export const registeredRun = z.strictObject({
  schema: z.literal(1),
  runId: z.string(),
  /** URI of the output. */
  output: z.string(),
  /** Among the runs of one model: 0 is first, larger numbers wait. */
  priority: z.int().min(0).max(2_097_151),
});

/** `_SUCCESS`: the run is complete; written last. */
export const successDocument = z.strictObject({
  /** The generation that `control.json` asked for when this was merged. */
  generation: z.int().nonnegative(),
  images: z.int(),
  labelled: z.int(),
  failed: z.int(),
  failures: failureCounts,
  annotations: z.int(),
  networkPixels,
});

export type RunOptions = z.infer<typeof runOptions>;
export type RunDocument = z.infer<typeof runDocument>;
export type PlannedImage = z.infer<typeof plannedImage>;
export type PlanDocument = z.infer<typeof planDocument>;
export type Fingerprint = z.infer<typeof fingerprint>;
export type CommitDocument = z.infer<typeof commitDocument>;
export type ControlDocument = z.infer<typeof controlDocument>;
export type RegisteredRun = z.infer<typeof registeredRun>;
export type SuccessDocument = z.infer<typeof successDocument>;
