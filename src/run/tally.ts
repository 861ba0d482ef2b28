import { FAILURE_CLASSES, type FailureClass } from '../runtime/image-failure.ts';
import type { CommitDocument } from './documents.ts';

/** How many images of a run are done, and how they ended. */
export interface Tally {
  readonly labelled: number;
  readonly failed: number;
  readonly failures: Readonly<Partial<Record<FailureClass, number>>>;
}

/** Counts images by shard, so that a shard that is tried again is not counted twice. */
export class RunTally {
  readonly #shards = new Map<number, Map<'labelled' | FailureClass, number>>();

  has(shard: number): boolean {
    return this.#shards.has(shard);
  }

  /** Forgets what a shard had, at the start of each try. */
  begin(shard: number): void {
    this.#shards.set(shard, new Map());
  }

  add(shard: number, outcome: 'labelled' | FailureClass, images = 1): void {
    const counts = this.#shards.get(shard) ?? new Map<'labelled' | FailureClass, number>();
    counts.set(outcome, (counts.get(outcome) ?? 0) + images);
    this.#shards.set(shard, counts);
  }

  /** What a commit says replaces what was counted of its shard. */
  addCommit(commit: CommitDocument): void {
    this.begin(commit.shard);
    this.add(commit.shard, 'labelled', commit.labelled);
    for (const failureClass of FAILURE_CLASSES) {
      const images = commit.failures[failureClass];
      if (images) this.add(commit.shard, failureClass, images);
    }
  }

  total(): Tally {
    let [labelled, failed] = [0, 0];
    const failures: Partial<Record<FailureClass, number>> = {};
    for (const counts of this.#shards.values()) {
      for (const [outcome, images] of counts) {
        if (outcome === 'labelled') labelled += images;
        else {
          failed += images;
          failures[outcome] = (failures[outcome] ?? 0) + images;
        }
      }
    }
    return { labelled, failed, failures };
  }
}
