import type { Scenario } from '../scenario.ts';
import { INFERENCE } from './inference.ts';
import { KILLS } from './kills.ts';
import { QUEUE } from './queue.ts';
import { RUNS } from './runs.ts';
import { STORAGE } from './storage.ts';

/** All, in the order of the table. */
export const SCENARIOS: readonly Scenario[] = [...KILLS, ...QUEUE, ...STORAGE, ...RUNS, ...INFERENCE];

const QUICK: ReadonlySet<string> = new Set([
  'worker killed after-records',
  'Redis flushed',
  'connections to S3 break',
  'every lock lost',
]);

/** Those that run with all other tests. */
export const QUICK_SCENARIOS = SCENARIOS.filter(({ name }) => QUICK.has(name));
