import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 5_000;

/** Wait before the retry after the `failures`-th failure in a row (from 1): doubling, with full jitter. */
export async function backOff(failures: number, signal?: AbortSignal): Promise<void> {
  const limitMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1));
  await sleep(limitMs * Math.random(), undefined, signal === undefined ? {} : { signal });
}
