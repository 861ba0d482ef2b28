/** Every setting of the queue. Times are in milliseconds unless the name says otherwise. */
export interface QueueSettings {
  /** How long a worker that has died keeps its job; a living one renews at half of it. */
  readonly lockDurationMs: number;
  /** How often expired locks are looked for. A dead worker's job is back after the lock and at most twice this. */
  readonly stalledIntervalMs: number;
  /** Deaths of workers that a job may cause or suffer. More than one: spot machines are taken away at any time. */
  readonly maxStalledCount: number;
  /** Starts of a shard for any reason, so that an image which kills its process does not do so for ever. */
  readonly maxStartedAttempts: number;
  /** Tries of a job whose error may pass; errors that cannot pass are not tried again. */
  readonly attempts: number;
  /** Before the second try; doubled before each further one. */
  readonly retryDelayMs: number;
  /** Share of the delay that is random, 0..1, so that what failed together does not return together. */
  readonly retryJitter: number;
  /**
   * Shards under one parent, at most 1,000; each backend has its own default. A parent's children are added in one
   * transaction, during which a Redis serves nobody else and the embedded queue nothing else in its process; on
   * Postgres they are counted down on one row, where they wait for each other. All processes of a deployment must have
   * the same: which group a shard belongs to follows from it.
   */
  readonly groupSize: number;
  /** Runs that one coordinator takes through their steps at once. */
  readonly runConcurrency: number;
  /**
   * Finished jobs are kept for the board and for `outcomeOf`; nothing else is decided from them. On Postgres each job
   * that finishes pays for those which are kept.
   */
  readonly keepCompleted: { readonly ageSeconds: number; readonly count: number };
  readonly keepFailed: { readonly ageSeconds: number; readonly count: number };
}

const DAY_SECONDS = 24 * 60 * 60;

export const QUEUE_DEFAULTS: Omit<QueueSettings, 'groupSize'> = {
  lockDurationMs: 60_000,
  stalledIntervalMs: 30_000,
  maxStalledCount: 20,
  maxStartedAttempts: 20,
  attempts: 3,
  retryDelayMs: 1_000,
  retryJitter: 0.5,
  runConcurrency: 8,
  keepCompleted: { ageSeconds: DAY_SECONDS, count: 1_000 },
  keepFailed: { ageSeconds: 7 * DAY_SECONDS, count: 1_000 },
};
