import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { bullOf } from '../../src/queue/bull-connection.ts';
import { countShards } from '../../src/queue/counts.ts';
import { groupJobId, RUNS_QUEUE, shardJobId, shardsQueue } from '../../src/queue/jobs.ts';
import { knowsShards, removeRun, requeueShards } from '../../src/queue/reconcile.ts';
import { addRun, outcomeOf, waitForRun } from '../../src/queue/runs.ts';
import { MillraceError } from '../../src/runtime/errors.ts';
import { gate, numbersTo, POLL, type QueueUnderTest, shardsTo, sorted } from './helpers/queue-under-test.ts';

const PRIORITY = 7;

/** What every backend of the queue has to do for a coordinator and the commands. */
export function testCluster(its: QueueUnderTest): void {
  const refsTo = (count: number): { shard: number; generation: number }[] =>
    numbersTo(count).map((shard) => ({ shard, generation: 0 }));

  /** Adds a run and has its shards put on the queue, where none of them is taken yet. */
  async function enqueued(runId: string, shards: number, priority = 0): Promise<void> {
    its.startRuns({ missingShards: () => shardsTo(shards) });
    await addRun(its.queue, runId, { priority });
    await until(async () => {
      const { waiting, prioritized } = await countShards(its.queue, runId);
      return waiting + prioritized === shards;
    });
  }

  async function until(condition: () => Promise<boolean>): Promise<void> {
    while (!(await condition())) await setTimeout(POLL.pollMs);
  }

  describe('priority', () => {
    it('of a run is that of its groups and shards, and 0 is first', async () => {
      await enqueued('urgent', 3, 1);
      await enqueued('patient', 3, PRIORITY);
      for (const [runId, priority] of [
        ['urgent', 1],
        ['patient', PRIORITY],
      ] as const) {
        const bull = bullOf(its.queue);
        const shard = await bull
          .queue(shardsQueue(runId))
          .getJob(shardJobId({ runId, shard: 2, generation: 0 }));
        const group = await bull.queue(RUNS_QUEUE).getJob(groupJobId({ runId, group: 0 }));
        expect([shard?.priority, group?.priority]).toEqual([priority, priority]);
        its.startShards(runId);
        expect(await waitForRun(its.queue, runId, POLL)).toEqual({ state: 'completed' });
      }
    });

    it('decides between two runs of one model', async () => {
      const order: string[] = [];
      its.startRuns({ plan: async () => ({ model: 'shared' }), missingShards: () => shardsTo(3) });
      for (const [runId, priority] of [
        ['later', 2],
        ['sooner', 1],
        ['first', 0],
      ] as const) {
        await addRun(its.queue, runId, { priority });
      }
      await until(async () => {
        const { waiting, prioritized } = await countShards(its.queue, 'shared');
        return waiting + prioritized === 9;
      });
      its.startShards('shared', async ({ runId }) => void order.push(runId), 1);
      for (const runId of ['later', 'sooner', 'first']) await waitForRun(its.queue, runId, POLL);
      expect(order).toEqual(['first', 'sooner', 'later'].flatMap((runId) => [runId, runId, runId]));
    });
  });

  describe('counts', () => {
    it('tell the states of a model’s shards, and how long the next one has waited', async () => {
      const none = { waiting: 0, prioritized: 0, delayed: 0, active: 0, completed: 0, failed: 0 };
      expect(await countShards(its.queue, 'counted')).toEqual({ ...none, oldestWaitingMs: 0 });
      await enqueued('counted', 50);
      const before = await countShards(its.queue, 'counted');
      expect(before).toMatchObject({ ...none, waiting: 50 });
      await setTimeout(30);
      const later = await countShards(its.queue, 'counted');
      expect(later.oldestWaitingMs).toBeGreaterThanOrEqual(before.oldestWaitingMs + 25);

      const work = gate();
      its.startShards('counted', async ({ shard }) => {
        if (shard === 0) throw new MillraceError('ACCESS_DENIED', 'no');
        if (shard > 3) await work.opened;
      });
      await until(async () => (await countShards(its.queue, 'counted')).active === 4);
      expect(await countShards(its.queue, 'counted')).toMatchObject({
        waiting: 42,
        active: 4,
        completed: 3,
        failed: 1,
      });
      work.open();
      await waitForRun(its.queue, 'counted', POLL);
    });

    it('tell prioritized shards apart', async () => {
      await enqueued('favoured', 3, PRIORITY);
      expect(await countShards(its.queue, 'favoured')).toMatchObject({ waiting: 0, prioritized: 3 });
      its.startShards('favoured');
      await waitForRun(its.queue, 'favoured', POLL);
    });
  });

  describe('a cancelled run', () => {
    it('fails with its code once its shards, each tried once, have given up', async () => {
      const cancelled = new MillraceError('RUN_CANCELLED', 'the run was cancelled');
      const { done } = its.startShards('cancelled', async () => {
        throw cancelled;
      });
      its.startRuns({
        missingShards: () => shardsTo(50),
        merge: async (_runId, { first }) => {
          throw first[0]?.error ?? new Error('no shard failed');
        },
      });
      expect(await its.run('cancelled')).toEqual({ state: 'failed', error: cancelled });
      expect(sorted(done)).toEqual(numbersTo(50));
    });

    it('leaves nothing behind when it is removed', async () => {
      await enqueued('removed', 90);
      expect(await removeRun(its.queue, { runId: 'removed', model: 'removed' }, shardsTo(90))).toEqual({
        busy: 0,
      });
      expect(await outcomeOf(its.queue, 'removed')).toEqual({ state: 'unknown' });
      expect(await countShards(its.queue, 'removed')).toMatchObject({ waiting: 0, active: 0 });
      const known = await knowsShards(its.queue, { runId: 'removed', model: 'removed' }, refsTo(90));
      expect(known).toEqual(refsTo(90).map(() => false));
    });

    it('can be removed under a worker, and started again', async () => {
      const [started, work] = [gate(), gate()];
      await enqueued('restarted', 50);
      const { done } = its.startShards('restarted', async ({ shard }) => {
        started.open();
        if (shard < 4) await work.opened;
      });
      await started.opened;
      await until(async () => (await countShards(its.queue, 'restarted')).active === 4);
      expect(await removeRun(its.queue, { runId: 'restarted', model: 'restarted' }, shardsTo(50))).toEqual({
        busy: 4,
      });
      await addRun(its.queue, 'restarted');
      work.open();
      expect(await waitForRun(its.queue, 'restarted', POLL)).toEqual({ state: 'completed' });
      expect(new Set(done)).toEqual(new Set(numbersTo(50)));
    });
  });

  describe('reconciling', () => {
    it('knows which shards have a job that is still to end', async () => {
      await enqueued('known', 45);
      const run = { runId: 'known', model: 'known' };
      expect(await knowsShards(its.queue, run, refsTo(47))).toEqual([
        ...refsTo(45).map(() => true),
        false,
        false,
      ]);
      const otherGeneration = [{ shard: 0, generation: 1 }];
      expect(await knowsShards(its.queue, run, otherGeneration)).toEqual([false]);
      expect(await knowsShards(its.queue, run, [])).toEqual([]);
      its.startShards('known');
      await waitForRun(its.queue, 'known', POLL);
      expect(await knowsShards(its.queue, run, refsTo(45))).toEqual(refsTo(45).map(() => false));
    });

    it('puts back shards that failed while their group still works, and forgets that they failed', async () => {
      const work = gate();
      let broken = true;
      const { done } = its.startShards('healed', async ({ shard }) => {
        if (shard === 0 && broken) throw new MillraceError('ACCESS_DENIED', 'no');
        if (shard === 1) await work.opened;
      });
      const seen = its.startRuns({ missingShards: () => shardsTo(3) });
      await addRun(its.queue, 'healed');
      await until(async () => (await countShards(its.queue, 'healed')).failed === 1);
      broken = false;
      await requeueShards(its.queue, { runId: 'healed', model: 'healed', priority: 0 }, shardsTo(2));
      await until(async () => done.filter((shard) => shard === 0).length === 2);
      work.open();
      expect(await waitForRun(its.queue, 'healed', POLL)).toEqual({ state: 'completed' });
      expect(seen.failures).toEqual({ count: 0, first: [] });
      expect(sorted(done)).toEqual([0, 0, 1, 2]);
    });

    it('starts a failed shard again whose group the queue has forgotten', async () => {
      const runId = 'forgotten';
      let broken = true;
      its.startShards(runId, async ({ shard }) => {
        if (shard === 0 && broken) throw new MillraceError('ACCESS_DENIED', 'no');
      });
      its.startRuns({
        missingShards: () => shardsTo(1),
        merge: async (_runId, { count }) => {
          if (count > 0) throw new MillraceError('ACCESS_DENIED', 'no');
        },
      });
      expect((await its.run(runId)).state).toBe('failed');
      await bullOf(its.queue)
        .queue(RUNS_QUEUE)
        .remove(groupJobId({ runId, group: 0 }), { removeChildren: false });
      broken = false;
      expect(await its.run(runId)).toEqual({ state: 'completed' });
    });
  });

  describe('two coordinators', () => {
    it('take many runs through their steps, each step of a run once', async () => {
      const second = await its.open();
      const runIds = numbersTo(6).map((number) => `both-${number}`);
      const calls: string[] = [];
      for (const queue of [its.queue, second]) {
        its.startRuns(
          {
            plan: async () => ({ model: 'both' }),
            missingShards: (runId) => {
              calls.push(`enqueue ${runId}`);
              return shardsTo(45);
            },
            merge: async (runId) => void calls.push(`merge ${runId}`),
          },
          queue,
        );
      }
      const { done } = its.startShards('both');
      for (const runId of runIds) await addRun(its.queue, runId);
      for (const runId of runIds) {
        expect(await waitForRun(its.queue, runId, POLL)).toEqual({ state: 'completed' });
      }
      expect(calls.toSorted()).toEqual(runIds.flatMap((id) => [`enqueue ${id}`, `merge ${id}`]).toSorted());
      expect(done).toHaveLength(6 * 45);
      await second.close();
    });
  });

  it('answers a ping', async () => {
    await expect(its.queue.ping()).resolves.toBeUndefined();
  });
}
