import { afterAll, beforeAll, expect, it } from 'vitest';
import { readClusterState } from '../../src/flow/cluster-state.ts';
import { openQueue, type QueueConnection } from '../../src/queue/connection.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { type RedisServer, startRedis } from '../services/redis.ts';
import { failRun } from './helpers/board.ts';

let redis: RedisServer;
let queue: QueueConnection;
const metrics = new Metrics();

beforeAll(async () => {
  redis = await startRedis();
  queue = await openQueue({ url: redis.url, log: { error: () => undefined } });
  await failRun(queue, 'run-1', 6, 'no records');
  metrics.watchCluster(
    () =>
      readClusterState({
        queue,
        listModels: async () => ['boats', 'cards'],
        runStates: () => ({ failed: 1 }),
      }),
    500,
  );
});
afterAll(async () => {
  metrics.close();
  await queue.close();
  await redis.stop();
});

it('tells the jobs of every model, and says nothing rather than old numbers while the queue is away', async () => {
  const text = await metrics.text();
  expect(text).toContain('millrace_queue_jobs{queue="millrace.shards.cards",state="completed"} 5\n');
  expect(text).toContain('millrace_queue_jobs{queue="millrace.shards.cards",state="failed"} 1\n');
  expect(text).toContain('millrace_queue_oldest_seconds{queue="millrace.shards.boats"} 0\n');
  expect(text).toContain('millrace_runs{state="failed"} 1\n');

  await redis.kill();
  const without = await metrics.text();
  expect(without).not.toContain('millrace_queue_jobs{');
  expect(without).toContain('millrace_cluster_state_errors_total 1\n');

  await redis.restart();
  await expect
    .poll(() => metrics.text(), { timeout: 60_000, interval: 200 })
    .toContain('millrace_queue_jobs{queue="millrace.shards.cards",state="failed"} 1\n');
});
