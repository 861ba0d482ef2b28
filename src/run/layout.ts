/** Where everything of a run lies below its output. */

const digits = (shard: number): string => String(shard).padStart(9, '0');

export const RUN_KEY = 'run.json';
export const CONTROL_KEY = 'control.json';
export const PLAN_KEY = 'plan.json';
export const SUCCESS_KEY = '_SUCCESS';
export const ANNOTATIONS_KEY = 'annotations.json';
export const FAILURES_KEY = 'failures.csv';
export const RESULT_KEYS = { bbox: 'results/bbox.json', segm: 'results/segm.json' } as const;

export const COMMITS_PREFIX = 'commits/';

/** Below the registry, not below an output. */
export const REGISTERED_RUNS_PREFIX = 'runs/';
export const registeredRunKey = (runId: string): string => `${REGISTERED_RUNS_PREFIX}${runId}.json`;
/** The inverse of `registeredRunKey`, for a key below the prefix. */
export const registeredRunId = (key: string): string | undefined =>
  key.endsWith('.json') ? key.slice(REGISTERED_RUNS_PREFIX.length, -'.json'.length) : undefined;

/** `digest` is the SHA-256 of the content, hex. */
export const planPartKey = (shard: number, digest: string): string =>
  `plan/${digits(shard)}.${digest.slice(0, 16)}.jsonl`;

export const recordsKey = (shard: number, digest: string): string =>
  `records/${digits(shard)}.${digest.slice(0, 16)}.jsonl`;

export const commitKey = (shard: number, generation: number): string =>
  `${COMMITS_PREFIX}${digits(shard)}.${generation}.json`;

/** The whole key stays in the name, so `a.png` and `a.jpg` do not meet. */
export const annotatedKey = (imageKey: string): string => `annotated/${imageKey}.jpg`;
