/**
 * What it costs a Redis or PostgreSQL to take a large run: `node dist/bench/enqueue.js [shards] [group size]`, with
 * QUEUE_URL. 62,500 shards are a million images at 16 images a shard. The queue must be empty, and is empty afterwards.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { openQueue } from '../src/queue/connection.ts';
import { countShards } from '../src/queue/counts.ts';
import type { ShardRef } from '../src/queue/jobs.ts';
import { knowsShards, removeRun } from '../src/queue/reconcile.ts';
import { addRun, startRunWorker } from '../src/queue/runs.ts';

const RUN = { runId: 'bench-enqueue', model: 'bench-enqueue' };
const NS_PER_MS = 1e6;
const KIB_PER_MIB = 1024;

const [shardCount = 62_500, groupSize] = process.argv.slice(2).map(Number);
const settings = { url: process.env['QUEUE_URL'], ...(groupSize !== undefined && { groupSize }) };
const [queue, other] = [await openQueue(settings), await openQueue(settings)];
process.stdout.write(`${shardCount} shards on ${queue.kind}\n`);

await measured('enqueue', async () => {
  const worker = startRunWorker(queue, {
    plan: async () => ({ model: RUN.model }),
    missingShards: () => shards(),
    merge: async () => {},
  });
  await addRun(queue, RUN.runId);
  while ((await countShards(other, RUN.model)).waiting < shardCount) await setTimeout(20);
  await worker.close();
});
await measured('ask for each', async () => {
  const refs = Array.from({ length: shardCount }, (_, shard) => ({ shard, generation: 0 }));
  const known = await knowsShards(queue, RUN, refs);
  if (known.includes(false)) throw new Error('the queue does not know a shard that it has');
});
await measured('remove', async () => void (await removeRun(queue, RUN, shards())));
await other.close();
await queue.close();

async function* shards(): AsyncGenerator<ShardRef> {
  for (let shard = 0; shard < shardCount; shard++) yield { shard, generation: 0 };
}

/** Runs `work`, while another process asks the queue for an answer over and over. */
async function measured(name: string, work: () => Promise<void>): Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const pings = fork(new URL('enqueue-ping.js', import.meta.url));
  await once(pings, 'message');
  delay.enable();
  const startedMs = performance.now();
  await work();
  const seconds = (performance.now() - startedMs) / 1000;
  delay.disable();
  pings.send('stop');
  const [longestMs] = z
    .tuple([z.number()])
    .rest(z.unknown())
    .parse(await once(pings, 'message'));
  const row = [
    `${name}: ${seconds.toFixed(1)} s`,
    `${Math.round(shardCount / seconds)} shards/s`,
    `longest PING ${longestMs.toFixed(0)} ms`,
    `event loop p99 ${(delay.percentile(99) / NS_PER_MS).toFixed(0)} ms, max ${(delay.max / NS_PER_MS).toFixed(0)} ms`,
    `peak ${(process.resourceUsage().maxRSS / KIB_PER_MIB).toFixed(0)} MiB RSS`,
  ];
  process.stdout.write(`  ${row.join(', ')}\n`);
}
