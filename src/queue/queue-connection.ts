/** An open queue. Comes from `openQueue`; `addRun`, `startRunWorker`, `startShardWorker` and their like take it. */
export interface QueueConnection {
  /** What holds the jobs. The embedded one serves its own process only. */
  readonly kind: QueueKind;
  /**
   * Resolves when the queue answers: for a readiness probe, which sets its own limit of time.
   *
   * @throws the store's error.
   */
  ping(): Promise<void>;
  /** Ends its workers, which finish their jobs first, then everything else. Without workers it ends at once. */
  close(): Promise<void>;
}

export type QueueKind = 'embedded' | 'redis' | 'postgres';
