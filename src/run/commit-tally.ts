import type { FailureClass } from '../runtime/image-failure.ts';
import { mapOrdered } from '../runtime/map-ordered.ts';
import type { Storage } from '../storage/storage.ts';
import { COMMIT_READ_CONCURRENCY, type CommittedShard, listCommittedShards } from './commits.ts';
import type { CommitDocument } from './documents.ts';
import { readCommit } from './read-write.ts';
import type { Tally } from './tally.ts';

type Failures = CommitDocument['failures'];

/** Where a run stands, told from its commits; asked again, only those that are new are read. */
export class CommitTally {
  /** Index = shard; -1 where none is known. */
  readonly #generations: Int32Array;
  readonly #labelled: Int32Array;
  readonly #failures = new Map<number, Failures>();
  #committed = 0;

  constructor(shards: number) {
    this.#generations = new Int32Array(shards).fill(-1);
    this.#labelled = new Int32Array(shards);
  }

  /** Shards with a commit. */
  get committed(): number {
    return this.#committed;
  }

  async update(output: Storage): Promise<void> {
    const commits = mapOrdered(this.#news(output), COMMIT_READ_CONCURRENCY, ({ shard, generation }) =>
      readCommit(output, shard, generation),
    );
    for await (const commit of commits) if (commit) this.#add(commit);
  }

  total(): Tally {
    const failures: Partial<Record<FailureClass, number>> = {};
    let failed = 0;
    for (const counts of this.#failures.values()) {
      for (const [failureClass, count] of entriesOf(counts)) {
        failures[failureClass] = (failures[failureClass] ?? 0) + count;
        failed += count;
      }
    }
    return { labelled: this.#labelled.reduce((sum, count) => sum + count, 0), failed, failures };
  }

  /** The latest commits that have failed images. */
  withFailures(): CommittedShard[] {
    return [...this.#failures.keys()].map((shard) => ({ shard, generation: this.#generations[shard]! }));
  }

  async *#news(output: Storage): AsyncGenerator<CommittedShard> {
    for await (const commit of listCommittedShards(output)) {
      const known = this.#generations[commit.shard];
      if (known !== undefined && commit.generation > known) yield commit;
    }
  }

  #add({ shard, generation, labelled, failures }: CommitDocument): void {
    if (this.#generations[shard] === -1) this.#committed += 1;
    this.#generations[shard] = generation;
    this.#labelled[shard] = labelled;
    this.#failures.delete(shard);
    if (Object.keys(failures).length > 0) this.#failures.set(shard, failures);
  }
}

function* entriesOf(counts: Failures): Generator<[FailureClass, number]> {
  let failureClass: FailureClass;
  for (failureClass in counts) {
    const count = counts[failureClass];
    if (count !== undefined) yield [failureClass, count];
  }
}
