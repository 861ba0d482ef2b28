import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bullOf } from '../../src/queue/bull-connection.ts';
import { openQueue, type QueueConnection } from '../../src/queue/connection.ts';
import type { ShardFailures } from '../../src/queue/groups.ts';
import { shardJobId, shardsQueue, type ShardJob, type ShardRef } from '../../src/queue/jobs.ts';
import {
  addRun,
  outcomeOf,
  startRunWorker,
  waitForRun,
  type RunOutcome,
  type RunSteps,
} from '../../src/queue/runs.ts';
import { startShardWorker } from '../../src/queue/shards.ts';
import { MillraceError } from '../../src/runtime/errors.ts';

const POLL = { pollMs: 20 };

let queue: QueueConnection;
const logged: string[] = [];

beforeAll(async () => {
  queue = await openQueue({
    groupSize: 40,
    retryDelayMs: 10,
    lockDurationMs: 2_000,
    stalledIntervalMs: 500,
    log: { error: (_fields, message) => void logged.push(message) },
  });
});
afterAll(() => queue.close());

/** The workers of a test take the runs of no other. */
const workers: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.close();
});

async function* shardsTo(count: number): AsyncGenerator<ShardRef> {
  for (let shard = 0; shard < count; shard++) yield { shard, generation: 0 };
}

function startRuns(
  runId: string,
  steps: Partial<RunSteps>,
): { readonly calls: string[]; failures?: ShardFailures } {
  const seen: { calls: string[]; failures?: ShardFailures } = { calls: [] };
  const worker = startRunWorker(queue, {
    plan: async () => {
      seen.calls.push('plan');
      return (await steps.plan?.(runId)) ?? { model: runId };
    },
    missingShards: (id) => {
      seen.calls.push('enqueue');
      return steps.missingShards?.(id) ?? shardsTo(2);
    },
    merge: async (id, failures) => {
      seen.calls.push('merge');
      seen.failures = failures;
      await steps.merge?.(id, failures);
    },
  });
  workers.push(worker);
  return seen;
}

function startShards(
  model: string,
  process: (job: ShardJob, signal: AbortSignal) => Promise<void> = async () => {},
): { readonly done: number[]; readonly worker: ReturnType<typeof startShardWorker> } {
  const done: number[] = [];
  const worker = startShardWorker(queue, {
    model,
    concurrency: 4,
    process: async (job, signal) => {
      done.push(job.shard);
      await process(job, signal);
    },
  });
  workers.push(worker);
  return { done, worker };
}

async function run(runId: string): Promise<RunOutcome> {
  await addRun(queue, runId);
  return waitForRun(queue, runId, POLL);
}

/** A promise, and what opens it. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let resolveOpened: (() => void) | undefined;
  const opened = new Promise<void>((resolve) => (resolveOpened = resolve));
  return { opened, open: () => resolveOpened?.() };
}

const numbersTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const sorted = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b);

describe('a run', () => {
  it('of 300 shards in groups does each once, then merges', async () => {
    const { done } = startShards('many');
    const seen = startRuns('many', { missingShards: () => shardsTo(300) });
    expect(await run('many')).toEqual({ state: 'completed' });
    expect(sorted(done)).toEqual(numbersTo(300));
    expect(seen).toEqual({ calls: ['plan', 'enqueue', 'merge'], failures: { count: 0, first: [] } });
  });

  it('with no missing shard merges at once', async () => {
    const seen = startRuns('none', { missingShards: () => shardsTo(0) });
    expect(await run('none')).toEqual({ state: 'completed' });
    expect(seen.calls).toEqual(['plan', 'enqueue', 'merge']);
  });

  it('wakes when shards failed for good, and hears which and why', async () => {
    const { done } = startShards('partly', async ({ shard }) => {
      if (shard === 41) throw new MillraceError('MODEL_CHECKSUM', 'not the model of the run');
      if (shard === 7) throw new Error('disk on fire');
    });
    const seen = startRuns('partly', { missingShards: () => shardsTo(50) });
    expect(await run('partly')).toEqual({ state: 'completed' });
    expect(seen.failures).toEqual({
      count: 2,
      first: [
        { shard: 7, generation: 0, error: new Error('disk on fire') },
        { shard: 41, generation: 0, error: new MillraceError('MODEL_CHECKSUM', 'not the model of the run') },
      ],
    });
    // What cannot pass is not tried again; what may is tried three times.
    expect(done.filter((shard) => shard === 41)).toHaveLength(1);
    expect(done.filter((shard) => shard === 7)).toHaveLength(3);
  });

  it('is whole when a shard succeeds at its last attempt', async () => {
    let attempts = 0;
    startShards('flaky', async ({ shard }) => {
      if (shard === 1 && ++attempts < 3) throw new MillraceError('STORAGE_UNAVAILABLE', 'try again');
    });
    const seen = startRuns('flaky', {});
    expect(await run('flaky')).toEqual({ state: 'completed' });
    expect(attempts).toBe(3);
    expect(seen.failures?.count).toBe(0);
  });

  it('goes on at the step that threw', async () => {
    const { done } = startShards('steps');
    let [enqueues, merges] = [0, 0];
    const seen = startRuns('steps', {
      async *missingShards() {
        yield* shardsTo(50);
        if (++enqueues === 1) throw new Error('listing broke off');
      },
      merge: async () => {
        if (++merges === 1) throw new Error('upload broke off');
      },
    });
    expect(await run('steps')).toEqual({ state: 'completed' });
    expect(seen.calls).toEqual(['plan', 'enqueue', 'enqueue', 'merge', 'merge']);
    // The first group was there already: enqueueing it again added nothing.
    expect(sorted(done)).toEqual(numbersTo(50));
  });

  it('that fails says why, with the code', async () => {
    const error = new MillraceError('SOURCE_EMPTY', 's3://bucket/ holds no images');
    const seen = startRuns('empty', {
      plan: async () => {
        throw error;
      },
    });
    expect(await run('empty')).toEqual({ state: 'failed', error });
    expect(seen.calls).toEqual(['plan']);
  });

  it('that failed is taken up again by addRun, with the shards that failed', async () => {
    let broken = true;
    const committed = new Set<number>();
    const { done } = startShards('again', async ({ shard }) => {
      if (broken && shard === 1) throw new MillraceError('ACCESS_DENIED', 'no');
      committed.add(shard);
    });
    startRuns('again', {
      async *missingShards() {
        for await (const ref of shardsTo(3)) if (!committed.has(ref.shard)) yield ref;
      },
      merge: async (_runId, { count }) => {
        if (count > 0) throw new MillraceError('FAILURE_BUDGET_EXCEEDED', `${count} shards failed`);
      },
    });
    const error = new MillraceError('FAILURE_BUDGET_EXCEEDED', '1 shards failed');
    expect(await run('again')).toEqual({ state: 'failed', error });
    broken = false;
    expect(await run('again')).toEqual({ state: 'completed' });
    expect(sorted(done)).toEqual([0, 1, 1, 2]);
  });

  it('that failed while shards were at work waits for them when taken up again', async () => {
    const work = gate();
    const { done } = startShards('alive', () => work.opened);
    let broken = true;
    startRuns('alive', {
      async *missingShards() {
        yield* shardsTo(50);
        if (broken) throw new MillraceError('ACCESS_DENIED', 'no');
      },
    });
    expect((await run('alive')).state).toBe('failed');
    broken = false;
    await addRun(queue, 'alive');
    work.open();
    expect(await waitForRun(queue, 'alive', POLL)).toEqual({ state: 'completed' });
    expect(sorted(done)).toEqual(numbersTo(50));
  });

  it('is not added again while the queue works on it', async () => {
    const work = gate();
    startShards('twice', () => work.opened);
    const seen = startRuns('twice', {});
    await addRun(queue, 'twice');
    await addRun(queue, 'twice');
    expect(await outcomeOf(queue, 'twice')).toEqual({ state: 'running' });
    work.open();
    expect(await waitForRun(queue, 'twice', POLL)).toEqual({ state: 'completed' });
    expect(seen.calls).toEqual(['plan', 'enqueue', 'merge']);
  });

  it('of a name that could be a path is refused', async () => {
    await expect(addRun(queue, '../evil')).rejects.toMatchObject({ code: 'RUN_CORRUPT' });
  });

  it('that nobody added is unknown', async () => {
    expect(await outcomeOf(queue, 'nobody')).toEqual({ state: 'unknown' });
    expect((await waitForRun(queue, 'nobody', POLL)).state).toBe('failed');
  });
});

describe('waiting for a run', () => {
  it('ends with the signal’s MillraceError, or INTERRUPTED', async () => {
    const work = gate();
    startRuns('slow', { missingShards: () => shardsTo(0), merge: () => work.opened });
    await addRun(queue, 'slow');
    const stop = new AbortController();
    const waiting = waitForRun(queue, 'slow', { ...POLL, signal: stop.signal });
    const reason = new MillraceError('FAILURE_BUDGET_EXCEEDED', 'too many');
    stop.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(waitForRun(queue, 'slow', { ...POLL, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
    work.open();
    expect(await waitForRun(queue, 'slow', POLL)).toEqual({ state: 'completed' });
  });
});

describe('a shard worker', () => {
  it('that is aborted gives its shards back at no cost, and another one does them', async () => {
    const started = gate();
    const first = startShards('handover', async ({ shard }, signal) => {
      if (shard === 1) started.open();
      await setTimeout(60_000, undefined, { signal });
    });
    const seen = startRuns('handover', {});
    await addRun(queue, 'handover');
    await started.opened;
    first.worker.abort('the machine goes away');
    await first.worker.close();
    const job = await bullOf(queue)
      .queue(shardsQueue('handover'))
      .getJob(shardJobId({ runId: 'handover', shard: 1, generation: 0 }));
    expect(job?.attemptsMade).toBe(0);

    const second = startShards('handover');
    expect(await waitForRun(queue, 'handover', POLL)).toEqual({ state: 'completed' });
    expect(sorted(second.done)).toEqual([0, 1]);
    expect(seen.failures?.count).toBe(0);
  });

  it('hears by the signal that it has lost a shard', async () => {
    const shards = bullOf(queue).queue(shardsQueue('lost'));
    const reasons: unknown[] = [];
    workers.push(
      startShardWorker(queue, {
        model: 'lost',
        concurrency: 1,
        process: async (job, signal) => {
          if (reasons.length > 0) return;
          // What the queue does when it takes this worker for dead.
          await (await shards.getJob(shardJobId(job)))?.moveToWait('0');
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          reasons.push(signal.reason);
          signal.throwIfAborted();
        },
      }),
    );
    startRuns('lost', { missingShards: () => shardsTo(1) });
    expect(await run('lost')).toEqual({ state: 'completed' });
    expect(reasons).toEqual([expect.objectContaining({ code: 'INTERRUPTED' })]);
    expect(logged).toContain('worker of millrace.shards.lost');
  });

  it('refuses a job whose data is no shard', async () => {
    const { done } = startShards('forged');
    const shards = bullOf(queue).queue(shardsQueue('forged'));
    const job = await shards.add(
      'shard',
      { runId: '../../etc', shard: 0, generation: 0 },
      { jobId: 'x', attempts: 3 },
    );
    while ((await job.getState()) !== 'failed') await setTimeout(POLL.pollMs);
    const failed = await shards.getJob('x');
    expect(failed?.failedReason).toMatch(/^RUN_CORRUPT: /);
    expect(failed?.attemptsMade).toBe(1);
    expect(done).toEqual([]);
  });
});

describe('a run worker', () => {
  it('that is stopped leaves the run to the next one, at the step it was at', async () => {
    startShards('restart');
    const stop = new AbortController();
    const planned = gate();
    const first = startRunWorker(
      queue,
      {
        plan: async () => {
          stop.abort();
          planned.open();
          return { model: 'restart' };
        },
        missingShards: () => shardsTo(2),
        merge: async () => {},
      },
      stop.signal,
    );
    await addRun(queue, 'restart');
    await planned.opened;
    await first.close();
    expect(await outcomeOf(queue, 'restart')).toEqual({ state: 'running' });
    const next = startRuns('restart', {});
    expect(await waitForRun(queue, 'restart', POLL)).toEqual({ state: 'completed' });
    expect(next.calls).toEqual(['enqueue', 'merge']);
  });
});

describe('openQueue', () => {
  it('says which URLs it serves, and no password', async () => {
    const opening = openQueue({ url: 'redis://user:secret@host:6379' });
    await expect(opening).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.not.stringContaining('secret'),
    });
  });
});
