import { setTimeout } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { Metrics } from '../../../src/runtime/metrics.ts';

const open: Metrics[] = [];
afterEach(() => {
  for (const metrics of open.splice(0)) metrics.close();
});

function newMetrics(): Metrics {
  const metrics = new Metrics();
  open.push(metrics);
  return metrics;
}

/** The samples of a family, without Prometheus's comments. */
const samples = async (metrics: Metrics, prefix: string): Promise<string[]> =>
  (await metrics.text()).split('\n').filter((line) => line.startsWith(prefix));

it('counts images, batches and pixels of a model', async () => {
  const metrics = newMetrics();
  const cards = metrics.forModel('cards');
  cards.image('labelled');
  cards.image('labelled');
  cards.image('truncated');
  cards.batch(3, { total: 100, padding: 25 });
  cards.memoryHalved();
  expect(await samples(metrics, 'millrace_images_total')).toEqual([
    'millrace_images_total{model="cards",outcome="labelled"} 2',
    'millrace_images_total{model="cards",outcome="truncated"} 1',
  ]);
  const text = await metrics.text();
  expect(text).toContain('millrace_network_pixels_total{model="cards"} 100\n');
  expect(text).toContain('millrace_padding_pixels_total{model="cards"} 25\n');
  expect(text).toContain('millrace_batch_images_bucket{le="2",model="cards"} 0\n');
  expect(text).toContain('millrace_batch_images_bucket{le="4",model="cards"} 1\n');
  expect(text).toContain('millrace_memory_halvings_total{model="cards"} 1\n');
});

it('keeps the times of the stages apart', async () => {
  const metrics = newMetrics();
  metrics.forModel('cards').stage('decode', 0.02);
  metrics.forModel('cards').stage('infer', 2);
  expect(await samples(metrics, 'millrace_stage_seconds_sum')).toEqual([
    'millrace_stage_seconds_sum{model="cards",stage="decode"} 0.02',
    'millrace_stage_seconds_sum{model="cards",stage="infer"} 2',
  ]);
});

it('escapes what a label holds', async () => {
  const metrics = newMetrics();
  metrics.forModel('a"} 1\nforged{x="').image('labelled');
  expect(await samples(metrics, 'forged')).toEqual([]);
});

it('asks for the cluster at each scrape, and forgets a queue that is gone', async () => {
  const metrics = newMetrics();
  let queues = [{ queue: 'millrace.runs', jobs: { waiting: 2 }, oldestSeconds: 7.5 }];
  metrics.watchCluster(async () => ({ queues, runs: { active: 1 } }));
  expect(await samples(metrics, 'millrace_queue')).toEqual([
    'millrace_queue_jobs{queue="millrace.runs",state="waiting"} 2',
    'millrace_queue_oldest_seconds{queue="millrace.runs"} 7.5',
  ]);
  expect(await samples(metrics, 'millrace_runs{')).toEqual(['millrace_runs{state="active"} 1']);
  queues = [];
  expect(await samples(metrics, 'millrace_queue')).toEqual([]);
});

it('answers without the cluster when that fails or hangs, and asks a hanging one once', async () => {
  const metrics = newMetrics();
  metrics.watchCluster(() => Promise.reject(new Error('no queue')));
  expect(await samples(metrics, 'millrace_cluster_state_errors_total')).toEqual([
    'millrace_cluster_state_errors_total 1',
  ]);
  let asked = 0;
  metrics.watchCluster(() => {
    asked += 1;
    return new Promise(() => undefined);
  }, 1);
  await metrics.text();
  expect(await samples(metrics, 'millrace_cluster_state_errors_total')).toEqual([
    'millrace_cluster_state_errors_total 3',
  ]);
  expect(asked).toBe(1);
});

it('keeps the processes of one test apart', async () => {
  const [one, other] = [newMetrics(), newMetrics()];
  one.lostLock('millrace.runs');
  expect(await samples(one, 'millrace_lost_locks_total')).toEqual([
    'millrace_lost_locks_total{queue="millrace.runs"} 1',
  ]);
  expect(await samples(other, 'millrace_lost_locks_total')).toEqual([]);
});

it('says how late the main thread was, once', async () => {
  const metrics = newMetrics();
  const worst = async (): Promise<number> => {
    const [, seconds] = /quantile="1"} (\S+)/.exec(await metrics.text()) ?? [];
    return Number(seconds);
  };
  await setTimeout(20);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  await setTimeout(20);
  expect(await worst()).toBeGreaterThan(0.2);
  expect(await worst()).toBeLessThan(0.2);
});

it('says of what process it is', async () => {
  const metrics = newMetrics();
  expect(await samples(metrics, 'process_resident_memory_bytes')).toHaveLength(1);
});
