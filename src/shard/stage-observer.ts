/** The stages of a shard whose time is told. */
export type Stage = 'fetch' | 'decode' | 'prepare' | 'infer' | 'interpret' | 'annotate' | 'commit';

/** Hears what the work on shards takes; what measures a process implements it. */
export interface StageObserver {
  /** `fetch`, `decode`, `interpret` and `annotate` are of one image, `prepare` and `infer` of a batch; with waiting. */
  stage(stage: Stage, seconds: number): void;
  /** A batch has run. `pixels` went through the network for it, `padding` of them for nothing. */
  batch(images: number, pixels: { readonly total: number; readonly padding: number }): void;
  /** A batch did not fit into memory, and those of its shape are smaller from now on. */
  memoryHalved(): void;
  /** An image has ended, `labelled` or as a failure class; once for each try of its shard. */
  image(outcome: string): void;
}

/** Hears nothing. */
export const UNOBSERVED: StageObserver = {
  stage: () => undefined,
  batch: () => undefined,
  memoryHalved: () => undefined,
  image: () => undefined,
};

/** Runs `task` and tells how long it took, whether it succeeds or not. */
export async function timed<T>(observer: StageObserver, stage: Stage, task: () => Promise<T>): Promise<T> {
  const startedMs = performance.now();
  try {
    return await task();
  } finally {
    observer.stage(stage, (performance.now() - startedMs) / 1000);
  }
}
