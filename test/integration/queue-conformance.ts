import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { bullOf } from '../../src/queue/bull-connection.ts';
import { shardJobId, shardsQueue } from '../../src/queue/jobs.ts';
import { addRun, outcomeOf, startRunWorker, waitForRun } from '../../src/queue/runs.ts';
import { startShardWorker } from '../../src/queue/shards.ts';
import { MillraceError } from '../../src/runtime/errors.ts';
import { gate, numbersTo, POLL, type QueueUnderTest, shardsTo, sorted } from './helpers/queue-under-test.ts';

/** What every backend of the queue has to do: a run and its shards, from the first job to the merge. */
export function testRuns(its: QueueUnderTest): void {
  describe('a run', () => {
    it('of 300 shards in groups does each once, then merges', async () => {
      const { done } = its.startShards('many');
      const seen = its.startRuns({ missingShards: () => shardsTo(300) });
      expect(await its.run('many')).toEqual({ state: 'completed' });
      expect(sorted(done)).toEqual(numbersTo(300));
      expect(seen).toEqual({ calls: ['plan', 'enqueue', 'merge'], failures: { count: 0, first: [] } });
    });

    it('with no missing shard merges at once', async () => {
      const seen = its.startRuns({ missingShards: () => shardsTo(0) });
      expect(await its.run('none')).toEqual({ state: 'completed' });
      expect(seen.calls).toEqual(['plan', 'enqueue', 'merge']);
    });

    it('wakes when shards failed for good, and hears which and why', async () => {
      const { done } = its.startShards('partly', async ({ shard }) => {
        if (shard === 41) throw new MillraceError('MODEL_CHECKSUM', 'not the model of the run');
        if (shard === 7) throw new Error('disk on fire');
      });
      const seen = its.startRuns({ missingShards: () => shardsTo(50) });
      expect(await its.run('partly')).toEqual({ state: 'completed' });
      expect(seen.failures).toEqual({
        count: 2,
        first: [
          { shard: 7, generation: 0, error: new Error('disk on fire') },
          {
            shard: 41,
            generation: 0,
            error: new MillraceError('MODEL_CHECKSUM', 'not the model of the run'),
          },
        ],
      });
      // What cannot pass is not tried again; what may is tried three times.
      expect(done.filter((shard) => shard === 41)).toHaveLength(1);
      expect(done.filter((shard) => shard === 7)).toHaveLength(3);
    });

    it('is whole when a shard succeeds at its last attempt', async () => {
      let attempts = 0;
      its.startShards('flaky', async ({ shard }) => {
        if (shard === 1 && ++attempts < 3) throw new MillraceError('STORAGE_UNAVAILABLE', 'try again');
      });
      const seen = its.startRuns({});
      expect(await its.run('flaky')).toEqual({ state: 'completed' });
      expect(attempts).toBe(3);
      expect(seen.failures?.count).toBe(0);
    });

    it('goes on at the step that threw', async () => {
      const { done } = its.startShards('steps');
      let [enqueues, merges] = [0, 0];
      const seen = its.startRuns({
        async *missingShards() {
          yield* shardsTo(50);
          if (++enqueues === 1) throw new Error('listing broke off');
        },
        merge: async () => {
          if (++merges === 1) throw new Error('upload broke off');
        },
      });
      expect(await its.run('steps')).toEqual({ state: 'completed' });
      expect(seen.calls).toEqual(['plan', 'enqueue', 'enqueue', 'merge', 'merge']);
      expect(new Set(done)).toEqual(new Set(numbersTo(50)));
    });

    it('that fails says why, with the code', async () => {
      const error = new MillraceError('SOURCE_EMPTY', 's3://bucket/ holds no images');
      const seen = its.startRuns({
        plan: async () => {
          throw error;
        },
      });
      expect(await its.run('empty')).toEqual({ state: 'failed', error });
      expect(seen.calls).toEqual(['plan']);
    });

    it('that failed is taken up again by addRun, with the shards that failed', async () => {
      let broken = true;
      const committed = new Set<number>();
      const { done } = its.startShards('again', async ({ shard }) => {
        if (broken && shard === 1) throw new MillraceError('ACCESS_DENIED', 'no');
        committed.add(shard);
      });
      its.startRuns({
        async *missingShards() {
          for await (const ref of shardsTo(3)) if (!committed.has(ref.shard)) yield ref;
        },
        merge: async (_runId, { count }) => {
          if (count > 0) throw new MillraceError('FAILURE_BUDGET_EXCEEDED', `${count} shards failed`);
        },
      });
      const error = new MillraceError('FAILURE_BUDGET_EXCEEDED', '1 shards failed');
      expect(await its.run('again')).toEqual({ state: 'failed', error });
      broken = false;
      expect(await its.run('again')).toEqual({ state: 'completed' });
      expect(sorted(done)).toEqual([0, 1, 1, 2]);
    });

    it('that failed while shards were at work waits for them when taken up again', async () => {
      const work = gate();
      const { done } = its.startShards('alive', () => work.opened);
      let broken = true;
      its.startRuns({
        async *missingShards() {
          yield* shardsTo(50);
          if (broken) throw new MillraceError('ACCESS_DENIED', 'no');
        },
      });
      expect((await its.run('alive')).state).toBe('failed');
      broken = false;
      await addRun(its.queue, 'alive');
      work.open();
      expect(await waitForRun(its.queue, 'alive', POLL)).toEqual({ state: 'completed' });
      // At least once: on Postgres some that are added again while at work are done twice, which their commit settles.
      expect([...new Set(sorted(done))]).toEqual(numbersTo(50));
    });

    it('is not added again while the queue works on it', async () => {
      const work = gate();
      its.startShards('twice', () => work.opened);
      const seen = its.startRuns({});
      await addRun(its.queue, 'twice');
      await addRun(its.queue, 'twice');
      expect(await outcomeOf(its.queue, 'twice')).toEqual({ state: 'running' });
      work.open();
      expect(await waitForRun(its.queue, 'twice', POLL)).toEqual({ state: 'completed' });
      expect(seen.calls).toEqual(['plan', 'enqueue', 'merge']);
    });

    it('of a name that could be a path is refused', async () => {
      await expect(addRun(its.queue, '../evil')).rejects.toMatchObject({ code: 'RUN_CORRUPT' });
    });

    it('that nobody added is unknown', async () => {
      expect(await outcomeOf(its.queue, 'nobody')).toEqual({ state: 'unknown' });
      expect((await waitForRun(its.queue, 'nobody', POLL)).state).toBe('failed');
    });
  });

  describe('waiting for a run', () => {
    it('ends with the signal’s MillraceError, or INTERRUPTED', async () => {
      const work = gate();
      its.startRuns({ missingShards: () => shardsTo(0), merge: () => work.opened });
      await addRun(its.queue, 'slow');
      const stop = new AbortController();
      const waiting = waitForRun(its.queue, 'slow', { ...POLL, signal: stop.signal });
      const reason = new MillraceError('FAILURE_BUDGET_EXCEEDED', 'too many');
      stop.abort(reason);
      await expect(waiting).rejects.toBe(reason);
      await expect(
        waitForRun(its.queue, 'slow', { ...POLL, signal: AbortSignal.abort() }),
      ).rejects.toMatchObject({
        code: 'INTERRUPTED',
      });
      work.open();
      expect(await waitForRun(its.queue, 'slow', POLL)).toEqual({ state: 'completed' });
    });
  });

  describe('a shard worker', () => {
    it('that is aborted gives its shards back at no cost, and another one does them', async () => {
      const started = gate();
      const first = its.startShards('handover', async ({ shard }, signal) => {
        if (shard === 1) started.open();
        await setTimeout(60_000, undefined, { signal });
      });
      const seen = its.startRuns({});
      await addRun(its.queue, 'handover');
      await started.opened;
      first.worker.abort('the machine goes away');
      await first.worker.close();
      const job = await bullOf(its.queue)
        .queue(shardsQueue('handover'))
        .getJob(shardJobId({ runId: 'handover', shard: 1, generation: 0 }));
      expect(job?.attemptsMade).toBe(0);

      const second = its.startShards('handover');
      expect(await waitForRun(its.queue, 'handover', POLL)).toEqual({ state: 'completed' });
      expect(sorted(second.done)).toEqual([0, 1]);
      expect(seen.failures?.count).toBe(0);
    });

    it('refuses a job whose data is no shard', async () => {
      const { done } = its.startShards('forged');
      const shards = bullOf(its.queue).queue(shardsQueue('forged'));
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
      its.startShards('restart');
      const stop = new AbortController();
      const planned = gate();
      const first = startRunWorker(
        its.queue,
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
      await addRun(its.queue, 'restart');
      await planned.opened;
      await first.close();
      expect(await outcomeOf(its.queue, 'restart')).toEqual({ state: 'running' });
      const next = its.startRuns({});
      expect(await waitForRun(its.queue, 'restart', POLL)).toEqual({ state: 'completed' });
      expect(next.calls).toEqual(['enqueue', 'merge']);
    });
  });
}

/** For backends on which a job can be taken from its worker by hand; on Redis see the fault tests. */
export function testLostLock(its: QueueUnderTest): void {
  it('a shard worker hears by the signal that it has lost a shard', async () => {
    const shards = bullOf(its.queue).queue(shardsQueue('lost'));
    const reasons: unknown[] = [];
    its.workers.push(
      startShardWorker(its.queue, {
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
    its.startRuns({ missingShards: () => shardsTo(1) });
    expect(await its.run('lost')).toEqual({ state: 'completed' });
    expect(reasons).toEqual([expect.objectContaining({ code: 'INTERRUPTED' })]);
    expect(its.logged).toContain('worker of millrace.shards.lost');
  });
}
