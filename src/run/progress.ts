import { isMillraceError } from '../runtime/errors.ts';
import type { CommitDocument } from './documents.ts';
import { budgetExceeded, exceedsBudget, FAILURE_EXAMPLES, type FailureBudget } from './failure-budget.ts';
import { type FailedRecord, type ImageRecord, isFailed } from './record.ts';
import { RunTally, type Tally } from './tally.ts';

/** Counts a run's images as they end, and stops the run when too many fail or when it is interrupted. */
export class RunProgress {
  readonly #tally = new RunTally();
  readonly #budget: FailureBudget | undefined;
  readonly #stop = new AbortController();
  readonly #examples = new Map<string, FailedRecord>();
  /** Aborts with the reason why the run stops early. */
  readonly stopped: AbortSignal;
  #images = 0;
  #resumed = 0;

  constructor(budget: FailureBudget | undefined, interrupted: AbortSignal) {
    this.#budget = budget;
    this.stopped = AbortSignal.any([interrupted, this.#stop.signal]);
  }

  /** Images of the run; 0 until it is planned. */
  get images(): number {
    return this.#images;
  }

  /** Images that were done before this process took the run up. */
  get resumed(): number {
    return this.#resumed;
  }

  get tally(): Tally {
    return this.#tally.total();
  }

  planned(images: number): void {
    this.#images = images;
  }

  /** A shard that was found committed; the first time, that is another process's work. */
  resumedWith(commit: CommitDocument): void {
    if (!this.#tally.has(commit.shard)) this.#resumed += commit.images;
    this.#tally.addCommit(commit);
  }

  /** A shard is final: its commit counts, whatever was counted while it was tried. */
  committed(commit: CommitDocument): void {
    this.#tally.addCommit(commit);
    this.#judge();
  }

  /** A shard was not committed: an error that no other shard can escape stops the run. */
  failed(error: Error): void {
    if (isMillraceError(error) && error.retry === 'never') this.#stop.abort(error);
  }

  /** A shard is tried, for the first time or again. */
  begin(shard: number): void {
    this.#tally.begin(shard);
  }

  onImage(shard: number, record: ImageRecord): void {
    if (!isFailed(record)) {
      this.#tally.add(shard, 'labelled');
      return;
    }
    this.#tally.add(shard, record.failure.class);
    if (this.#examples.size < FAILURE_EXAMPLES) this.#examples.set(record.key, record);
    this.#judge();
  }

  #judge(): void {
    if (exceedsBudget(this.tally, this.#budget, false))
      this.#stop.abort(budgetExceeded(this.tally, this.#images, this.#budget, [...this.#examples.values()]));
  }
}
