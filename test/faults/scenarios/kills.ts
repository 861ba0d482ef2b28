import { setTimeout } from 'node:timers/promises';
import type { Scenario } from '../scenario.ts';
import type { Supervised } from '../supervise.ts';

/** Where a worker can die; see `src/runtime/failpoint.ts`. */
const WORKER_FAILPOINTS = ['after-fetch', 'mid-infer', 'after-records', 'after-commit'] as const;
const WORKERS = 3;
const RANDOM_KILLS = 12;

const deathsOf = (supervised: readonly Supervised[]): number =>
  supervised.reduce((sum, process) => sum + process.deaths(), 0);

/** Each worker dies at its second time there, so that all have something to lose. */
const killAtFailpoint = (failpoint: string): Scenario => ({
  name: `worker killed ${failpoint}`,
  about: `Each of ${WORKERS} workers is killed at the failpoint ${failpoint}, once.`,
  run: async (stage) => {
    await stage.launch();
    const workers = await stage.superviseWorkers(WORKERS, { MILLRACE_FAILPOINT: `${failpoint}:2` });
    await stage.enqueue();
    await stage.untilComplete();
    return { injected: deathsOf(workers), what: 'SIGKILL' };
  },
});

const killAtRandom: Scenario = {
  name: 'workers killed at random',
  about: `Of ${WORKERS} workers one is killed every now and then, until ${RANDOM_KILLS} were.`,
  run: async (stage) => {
    await stage.launch();
    const workers = await stage.superviseWorkers(WORKERS);
    await stage.enqueue();
    let kills = 0;
    while (kills < RANDOM_KILLS && (await stage.status()).state !== 'complete') {
      await setTimeout(200 + stage.random() * 800);
      const victim = workers[Math.floor(stage.random() * WORKERS)]?.current();
      if (victim?.child.kill('SIGKILL')) kills += 1;
    }
    await stage.untilComplete();
    return { injected: kills, what: 'SIGKILL' };
  },
};

const coordinatorAt = (failpoint: string, nth: number, about: string): Scenario => ({
  name: `coordinator killed ${failpoint}`,
  about,
  run: async (stage) => {
    await stage.launch({ coordinators: 0, workers: 2 });
    const first = { MILLRACE_FAILPOINT: `${failpoint}:${nth}` };
    const coordinator = await stage.supervise('coordinator', 'coordinator', first);
    await stage.enqueue();
    await stage.untilComplete();
    return { injected: coordinator.deaths(), what: 'SIGKILL' };
  },
});

/** Longer than the lock of 2 s: its shards go to others before it wakes. */
const FROZEN_MS = 6_000;
const FREEZES = 3;

const zombies: Scenario = {
  name: 'zombie worker',
  about: `A worker is stopped (SIGSTOP) for ${FROZEN_MS / 1000} s, three times the lock, and goes on; ${FREEZES} times.`,
  run: async (stage) => {
    const { workers } = await stage.launch({ workers: 2 });
    await stage.enqueue();
    let freezes = 0;
    while (freezes < FREEZES && (await stage.status()).state !== 'complete') {
      await setTimeout(500 + stage.random() * 500);
      const zombie = workers[freezes % workers.length];
      if (!zombie?.child.kill('SIGSTOP')) throw new Error('the worker has ended');
      freezes += 1;
      await setTimeout(FROZEN_MS);
      zombie.child.kill('SIGCONT');
    }
    await stage.untilComplete();
    return { injected: freezes, what: 'SIGSTOP' };
  },
};

export const KILLS: readonly Scenario[] = [
  ...WORKER_FAILPOINTS.map(killAtFailpoint),
  killAtRandom,
  coordinatorAt('in-plan', 20, "The coordinator is killed when it has written 20 of the plan's parts."),
  coordinatorAt('in-merge', 1, 'The coordinator is killed in the merge, when some of the files are written.'),
  zombies,
];
