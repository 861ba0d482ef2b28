/** Where a run stands, told from its output alone: any machine that can read it can ask. */
import { setTimeout } from 'node:timers/promises';
import { completionOf } from '../plan/prepare-run.ts';
import { CommitTally } from '../run/commit-tally.ts';
import { readControl } from '../run/control.ts';
import { type RunDocument, runDocument, type SuccessDocument } from '../run/documents.ts';
import { RUN_KEY } from '../run/layout.ts';
import { readJson, readPlan } from '../run/read-write.ts';
import type { Tally } from '../run/tally.ts';
import { MillraceError } from '../runtime/errors.ts';
import { openStorage } from '../storage/open.ts';
import type { Storage } from '../storage/storage.ts';

export type RunState = 'planning' | 'running' | 'cancelled' | 'over-budget' | 'failed' | 'complete';

export interface RunStatus {
  readonly runId: string;
  readonly state: RunState;
  /** Why it was cancelled, or stopped for its failures. */
  readonly reason?: string;
  readonly source: string;
  /** URI. */
  readonly output: string;
  /** The model's name. */
  readonly model: string;
  /** 0 until the run is planned. */
  readonly images: number;
  readonly shards: number;
  readonly committedShards: number;
  /** Of the images in committed shards. */
  readonly tally: Tally;
  /** Set once the run is complete. */
  readonly success?: SuccessDocument;
}

/** Looks at one run again and again; only new commits are read. */
export class RunFollower {
  readonly #output: Storage;
  #run: RunDocument | undefined;
  #commits: CommitTally | undefined;
  #images = 0;
  #shards = 0;

  constructor(output: Storage) {
    this.#output = output;
  }

  /** @throws MillraceError RUN_UNKNOWN where the output holds no run, and storage's errors. */
  async look(): Promise<RunStatus> {
    const output = this.#output;
    this.#run ??= await readRunDocument(output);
    const run = this.#run;
    const success = await completionOf(output);
    const { state, reason } = await readControl(output);
    await this.#readCommits();
    const planned = this.#commits ? 'running' : 'planning';
    return {
      runId: run.runId,
      state: success ? 'complete' : state === 'active' ? planned : state,
      ...(reason !== undefined && { reason }),
      source: run.source,
      output: output.uri,
      model: run.model.name,
      images: this.#images,
      shards: this.#shards,
      committedShards: this.#commits?.committed ?? 0,
      tally: this.#commits?.total() ?? { labelled: 0, failed: 0, failures: {} },
      ...(success && { success }),
    };
  }

  async #readCommits(): Promise<void> {
    if (!this.#commits) {
      const plan = await readPlan(this.#output);
      if (!plan) return;
      this.#images = plan.images;
      this.#shards = plan.parts.length;
      this.#commits = new CommitTally(plan.parts.length);
    }
    await this.#commits.update(this.#output);
  }
}

/**
 * Where the run in this output stands now.
 *
 * @throws MillraceError RUN_UNKNOWN where there is none, and storage's errors.
 */
export async function readRun(output: string): Promise<RunStatus> {
  return new RunFollower(await openStorage(output)).look();
}

export interface FollowOptions {
  /** Between two looks; 2 s if not given. Each look lists the run's commits. */
  readonly pollMs?: number;
  /** Aborting it ends the iteration without an error; the run goes on. */
  readonly signal?: AbortSignal;
}

const DEFAULT_POLL_MS = 2_000;

/**
 * Where the run stands, again and again, until it is complete, was cancelled or has failed.
 *
 * @throws MillraceError as `readRun`.
 */
export async function* followRun(output: string, options: FollowOptions = {}): AsyncGenerator<RunStatus> {
  const { pollMs = DEFAULT_POLL_MS, signal } = options;
  const follower = new RunFollower(await openStorage(output));
  for (;;) {
    if (signal?.aborted) return;
    const status = await follower.look();
    yield status;
    if (status.state !== 'planning' && status.state !== 'running') return;
    await setTimeout(pollMs, undefined, { ...(signal && { signal }) }).catch(() => undefined);
  }
}

async function readRunDocument(output: Storage): Promise<RunDocument> {
  const run = await readJson(output, RUN_KEY, runDocument);
  if (run) return run;
  throw new MillraceError('RUN_UNKNOWN', `${output.uri} holds no run: there is no ${RUN_KEY}`);
}
