/** A process of its own that asks the queue for an answer over and over, and says how long the longest took. */
import { setTimeout } from 'node:timers/promises';
import { openQueue } from '../src/queue/connection.ts';

const queue = await openQueue({ url: process.env['QUEUE_URL'] });
const stop = new AbortController();
process.once('message', () => stop.abort());
process.send?.('ready');
let longestMs = 0;
while (!stop.signal.aborted) {
  const startedMs = performance.now();
  await queue.ping();
  longestMs = Math.max(longestMs, performance.now() - startedMs);
  await setTimeout(1);
}
process.send?.(longestMs);
await queue.close();
process.disconnect();
