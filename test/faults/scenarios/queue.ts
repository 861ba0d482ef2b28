import { setTimeout } from 'node:timers/promises';
import { completedShards, flushQueue, loseJobs, stealLocks } from '../redis-control.ts';
import type { Scenario } from '../scenario.ts';
import { MODEL_NAME, type Stage } from '../stage.ts';
import { startRedis } from '../../services/redis.ts';

const CRASHES = 3;
const FLUSHES = 3;
const COORDINATOR_KILLS = 5;

/** Does something to a run every now and then, and says how often it came to that. */
async function repeatedly(
  stage: Stage,
  times: number,
  pauseMs: number,
  action: () => Promise<void>,
): Promise<number> {
  for (let done = 0; done < times; done++) {
    await setTimeout(pauseMs * (0.5 + stage.random()));
    if ((await stage.status()).state === 'complete') return done;
    await action();
  }
  return times;
}

const redisCrashes: Scenario = {
  name: 'Redis killed',
  about: `Redis is killed (SIGKILL) and started again a second later, with its append-only file; ${CRASHES} times.`,
  run: async (stage) => {
    const { redis } = stage.ring.services;
    await stage.launch({ workers: 2 });
    await stage.enqueue();
    await stage.untilCommitted(3);
    const injected = await repeatedly(stage, CRASHES, 3_000, async () => {
      await redis.kill();
      await setTimeout(1_000);
      await redis.restart();
    });
    await stage.untilComplete();
    return { injected, what: 'SIGKILL of Redis' };
  },
};

const redisFlushed: Scenario = {
  name: 'Redis flushed',
  about: `FLUSHALL while the run goes on: the coordinator brings it back from storage; ${FLUSHES} times.`,
  run: async (stage) => {
    await stage.launch({ workers: 2 });
    await stage.enqueue();
    await stage.untilCommitted(3);
    const injected = await repeatedly(stage, FLUSHES, 3_000, () => flushQueue(stage.ring.services.redis));
    await stage.untilComplete();
    return { injected, what: 'FLUSHALL' };
  },
};

const jobsLost: Scenario = {
  name: 'Redis forgets jobs',
  about: 'Half of the shards that wait vanish from Redis, and the run that waits for them stays.',
  run: async (stage) => {
    await stage.launch({ workers: 2 });
    await stage.enqueue();
    await stage.untilCommitted(3);
    const injected = await loseJobs(stage.ring.services.redis, MODEL_NAME, 0.5, stage.random);
    await stage.untilComplete();
    return { injected, what: 'jobs' };
  },
};

const locksStolen: Scenario = {
  name: 'every lock lost',
  about:
    'The lock of every job is taken away once while it is at work: another worker gets it at the same time.',
  run: async (stage) => {
    await stage.launch({ workers: 3 });
    await stage.enqueue();
    const stolen = new Set<string>();
    while ((await stage.status()).state !== 'complete') {
      await stealLocks(stage.ring.services.redis, MODEL_NAME, stolen);
      await setTimeout(50);
    }
    return { injected: stolen.size, what: 'locks' };
  },
};

const deliveredTwice: Scenario = {
  name: 'every job delivered twice',
  about:
    'Two clusters, each with a Redis of its own, find the run in one registry: both do all of it, the merge too.',
  run: async (stage) => {
    const redis = await startRedis();
    stage.onEnd(() => redis.stop());
    await stage.launch({ workers: 2 });
    await stage.launch({ workers: 2, redis });
    await stage.enqueue();
    await stage.untilComplete();
    const injected = await completedShards(redis, MODEL_NAME);
    return { injected, what: 'jobs done by the second cluster too' };
  },
};

const coordinatorKilled: Scenario = {
  name: 'coordinator killed while it enqueues',
  about: `The coordinator is killed from when the plan is there, within 300 ms, again and again: ${COORDINATOR_KILLS} times.`,
  run: async (stage) => {
    await stage.launch({ coordinators: 0, workers: 2 });
    const coordinator = await stage.supervise('coordinator', 'coordinator');
    await stage.enqueue();
    const storage = await stage.storage();
    while ((await storage.stat('plan.json')) === undefined) await setTimeout(5);
    for (let kills = 0; kills < COORDINATOR_KILLS; kills++) {
      await setTimeout(stage.random() * 300);
      while (!coordinator.current()?.child.kill('SIGKILL')) await setTimeout(5);
      while (coordinator.deaths() <= kills) await setTimeout(5);
    }
    await stage.untilComplete();
    return { injected: coordinator.deaths(), what: 'SIGKILL' };
  },
};

export const QUEUE: readonly Scenario[] = [
  redisCrashes,
  redisFlushed,
  jobsLost,
  locksStolen,
  deliveredTwice,
  coordinatorKilled,
];
