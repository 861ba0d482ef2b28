/** Puts the registry's unfinished runs back on the queue when it has forgotten them, and stops those that fail too often. */
import { setTimeout } from 'node:timers/promises';
import { missingShards } from '../plan/missing-shards.ts';
import { completionOf } from '../plan/prepare-run.ts';
import type { QueueConnection } from '../queue/connection.ts';
import type { ShardRef } from '../queue/jobs.ts';
import { knowsShards, requeueShards } from '../queue/reconcile.ts';
import { addRun, outcomeOf } from '../queue/runs.ts';
import { readControl, stopRun } from '../run/control.ts';
import type { RegisteredRun } from '../run/documents.ts';
import { budgetExceeded, exceedsBudget } from '../run/failure-budget.ts';
import type { OpenRun, OpenRuns } from '../run/open-runs.ts';
import type { RunRegistry } from '../run/registry.ts';
import type { Logger } from '../runtime/log.ts';
import { RunFollower, type RunState } from './follow.ts';

/** Shards asked for in one round trip. */
const ASKED_AT_ONCE = 1_000;

interface Watched {
  readonly follower: RunFollower;
  /** At the last look; -1 before the first. */
  readonly committedShards: number;
}

export interface ReconcilerOptions {
  readonly queue: QueueConnection;
  readonly registry: RunRegistry;
  readonly runs: OpenRuns;
  readonly intervalMs: number;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Told after each round how many runs are in which state. */
  readonly onStates?: (states: ReadonlyMap<string, number>) => void;
}

/** Runs until `signal` aborts; never rejects. */
export async function reconcile(options: ReconcilerOptions): Promise<void> {
  const { registry, intervalMs, log, signal } = options;
  const watched = new Map<string, Watched>();
  while (!signal.aborted) {
    const states = new Map<string, number>();
    try {
      for await (const run of registry.list()) {
        if (signal.aborted) return;
        const state = await reconcileRun(run, watched, options).catch((error: unknown) => {
          log.warn({ err: error, run: run.runId }, 'a run could not be looked at');
          return 'unknown';
        });
        states.set(state, (states.get(state) ?? 0) + 1);
      }
      options.onStates?.(states);
    } catch (error) {
      log.warn({ err: error }, 'the registry could not be listed');
    }
    await setTimeout(intervalMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Returns the run's state. */
async function reconcileRun(
  { runId, priority }: RegisteredRun,
  watched: Map<string, Watched>,
  { queue, runs, log }: ReconcilerOptions,
): Promise<RunState | 'unknown'> {
  const open = await runs.open(runId);
  const { run, output } = open;
  const control = await readControl(output);
  const isComplete = (await completionOf(output)) !== undefined;
  if (control.state !== 'active' || isComplete) {
    watched.delete(runId);
    return isComplete || control.state === 'active' ? 'complete' : control.state;
  }
  const outcome = await outcomeOf(queue, runId);
  if (outcome.state !== 'running') {
    log.info({ run: runId, was: outcome.state }, 'an unfinished run goes back on the queue');
    await addRun(queue, runId, { priority });
    return 'running';
  }
  const before = watched.get(runId) ?? { follower: new RunFollower(output), committedShards: -1 };
  const { tally, images, committedShards, state } = await before.follower.look();
  watched.set(runId, { ...before, committedShards });
  if (exceedsBudget(tally, control.maxFailures, false)) {
    const { message } = budgetExceeded(tally, images, control.maxFailures, []);
    log.warn({ run: runId, message }, 'a run stops for its failures');
    await stopRun(output, 'over-budget', message);
    return 'over-budget';
  }
  // A run that has not moved since the last look may wait for jobs that the queue has lost.
  if (state === 'running' && committedShards === before.committedShards) {
    const lost = lostShards(queue, open, control.generation);
    await requeueShards(queue, { runId, model: run.model.name, priority }, lost);
  }
  return 'running';
}

/** Shards that have to be committed and of which the queue has no job, in order. */
async function* lostShards(
  queue: QueueConnection,
  { run, output, plan }: OpenRun,
  generation: number,
): AsyncGenerator<ShardRef> {
  const ofRun = { runId: run.runId, model: run.model.name };
  for await (const some of chunks(missingShards(output, await plan(), { generation }), ASKED_AT_ONCE)) {
    const known = await knowsShards(queue, ofRun, some);
    for (const [index, shard] of some.entries()) if (!known[index]) yield shard;
  }
}

async function* chunks<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let chunk: T[] = [];
  for await (const item of items) {
    if (chunk.push(item) < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
