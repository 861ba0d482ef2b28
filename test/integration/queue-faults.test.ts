import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { QueueConnection } from '../../src/queue/connection.ts';
import { addRun, outcomeOf, waitForRun } from '../../src/queue/runs.ts';
import { startPostgres } from '../services/postgres.ts';
import { startRedis } from '../services/redis.ts';
import { gate, numbersTo, POLL, QueueUnderTest, shardsTo, sorted } from './helpers/queue-under-test.ts';

const built = new URL('../../dist/src/', import.meta.url);

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

interface Child {
  readonly process: ChildProcess;
  /** Resolves when it has written this line. */
  said(line: string): Promise<void>;
}

/** A process of its own, as built, that runs `body` with an open `queue` and the queue's functions. */
function startChild(url: string, body: string): Child {
  const source = `
    import { setTimeout } from 'node:timers/promises';
    import { openQueue } from '${new URL('queue/connection.js', built).href}';
    import { startRunWorker } from '${new URL('queue/runs.js', built).href}';
    import { startShardWorker } from '${new URL('queue/shards.js', built).href}';
    const log = { error: ({ err }) => console.error(err) };
    const queue = await openQueue({
      url: '${url}', groupSize: 40, retryDelayMs: 10, lockDurationMs: 2_000, stalledIntervalMs: 500, log,
    });
    ${body}
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  children.push(child);
  const lines = new Set<string>();
  const waiting = new Map<string, () => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.add(line);
    waiting.get(line)?.();
  });
  return {
    process: child,
    said: (line) =>
      new Promise((resolve) => {
        if (lines.has(line)) resolve();
        else waiting.set(line, resolve);
      }),
  };
}

async function kill({ process: child }: Child): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

async function untilItIsAway(queue: QueueConnection): Promise<void> {
  const answers = (): Promise<boolean> =>
    queue.ping().then(
      () => true,
      () => false,
    );
  while (await Promise.race([answers(), setTimeout(POLL.pollMs, true)])) await setTimeout(POLL.pollMs);
}

describe('on Redis, with locks of two seconds', () => {
  let redis: Awaited<ReturnType<typeof startRedis>>;
  const its = new QueueUnderTest(
    async () => (redis = await startRedis({ acl: true, settings: { appendfsync: 'always' } })),
  );

  it('a shard whose worker is killed comes back', async () => {
    const worker = startChild(
      redis.url,
      `startShardWorker(queue, { model: 'killed', concurrency: 1, process: async ({ shard }) => {
         console.log('shard ' + shard);
         await setTimeout(3_600_000);
       } });`,
    );
    const seen = its.startRuns({ missingShards: () => shardsTo(3) });
    await addRun(its.queue, 'killed');
    await worker.said('shard 0');
    await kill(worker);
    const { done } = its.startShards('killed');
    expect(await waitForRun(its.queue, 'killed', POLL)).toEqual({ state: 'completed' });
    expect(sorted(done)).toEqual([0, 1, 2]);
    expect(seen.failures?.count).toBe(0);
  });

  it('a worker that was frozen for longer than its lock is told so, and its late result changes nothing', async () => {
    const zombie = startChild(
      redis.url,
      `startShardWorker(queue, { model: 'frozen', concurrency: 1, process: async ({ shard }, signal) => {
         console.log('shard ' + shard);
         await new Promise((resolve) => signal.addEventListener('abort', resolve));
         console.log('aborted: ' + signal.reason.code);
         throw new Error('the late result');
       } });`,
    );
    const seen = its.startRuns({ missingShards: () => shardsTo(1) });
    await addRun(its.queue, 'frozen');
    await zombie.said('shard 0');
    zombie.process.kill('SIGSTOP');
    const work = gate();
    const taken = gate();
    const { done } = its.startShards('frozen', async () => {
      taken.open();
      await work.opened;
    });
    await taken.opened;
    zombie.process.kill('SIGCONT');
    await zombie.said('aborted: INTERRUPTED');
    expect(await outcomeOf(its.queue, 'frozen')).toEqual({ state: 'running' });
    work.open();
    expect(await waitForRun(its.queue, 'frozen', POLL)).toEqual({ state: 'completed' });
    expect(done).toEqual([0]);
    expect(seen.failures?.count).toBe(0);
  });

  it('a coordinator that is killed while it enqueues is taken over, and no shard is lost', async () => {
    const coordinator = startChild(
      redis.url,
      `startRunWorker(queue, {
         plan: async () => ({ model: 'taken-over' }),
         missingShards: async function* () {
           for (let shard = 0; shard < 90; shard++) yield { shard, generation: 0 };
           console.log('enqueueing');
           await setTimeout(3_600_000);
         },
         merge: async () => console.log('merged'),
       });`,
    );
    await addRun(its.queue, 'taken-over');
    await coordinator.said('enqueueing');
    const { done } = its.startShards('taken-over');
    await kill(coordinator);
    const seen = its.startRuns({ missingShards: () => shardsTo(130) });
    expect(await waitForRun(its.queue, 'taken-over', POLL)).toEqual({ state: 'completed' });
    expect(seen.calls).toEqual(['enqueue', 'merge']);
    expect(new Set(done)).toEqual(new Set(numbersTo(130)));
  });

  it('everybody waits for a Redis that goes away, and goes on when it is back', async () => {
    const [started, work] = [gate(), gate()];
    const { done } = its.startShards('outage', async ({ shard }) => {
      if (shard < 4) started.open();
      if (shard < 4) await work.opened;
    });
    its.startRuns({ missingShards: () => shardsTo(50) });
    await addRun(its.queue, 'outage');
    await started.opened;
    const waiting = waitForRun(its.queue, 'outage', POLL);
    await redis.kill();
    work.open();
    await untilItIsAway(its.queue);
    await redis.restart();
    expect(await waiting).toEqual({ state: 'completed' });
    expect(new Set(done)).toEqual(new Set(numbersTo(50)));
    await its.queue.ping();
  });

  it('a connection with workers closes while Redis is away', async () => {
    const other = await its.open();
    its.startRuns({}, other);
    await redis.kill();
    await untilItIsAway(other);
    await other.close();
    await redis.restart();
  });
});

describe('on PostgreSQL', () => {
  let postgres: Awaited<ReturnType<typeof startPostgres>>;
  const its = new QueueUnderTest(async () => (postgres = await startPostgres()));

  it('workers go on when the server is back', async () => {
    const [started, work] = [gate(), gate()];
    const { done } = its.startShards('outage', async () => {
      started.open();
      await work.opened;
    });
    its.startRuns({ missingShards: () => shardsTo(10) });
    await addRun(its.queue, 'outage');
    await started.opened;
    const waiting = waitForRun(its.queue, 'outage', POLL);
    await postgres.kill();
    await untilItIsAway(its.queue);
    await postgres.restart();
    work.open();
    expect(await waiting).toEqual({ state: 'completed' });
    expect(new Set(done)).toEqual(new Set(numbersTo(10)));
  });
});
