import { toError } from '../../src/runtime/errors.ts';
import { checkInvariants, type Findings } from './invariants.ts';
import { unconditionalWrites } from './proxy.ts';
import { random } from './random.ts';
import { flushQueue } from './redis-control.ts';
import type { ReadyRing } from './ring.ts';
import type { Outcome, Scenario } from './scenario.ts';
import { Stage } from './stage.ts';
import { withFailures } from './with-failures.ts';

/** A row of the table. */
export interface Row {
  readonly scenario: string;
  readonly injected: string;
  /** Undefined where the run did not come to its end. */
  readonly lost: number | undefined;
  /** Empty when every invariant holds. */
  readonly violations: readonly string[];
  readonly seed: number;
  readonly seconds: number;
}

/** Runs one scenario on an empty queue and an empty output, and checks the invariants; what it throws is a violation. */
export async function perform(ring: ReadyRing, scenario: Scenario): Promise<Row> {
  const startedMs = performance.now();
  const seed = seedOf(ring.seed, scenario.name);
  ring.proxy.inject(() => undefined);
  await flushQueue(ring.services.redis);
  const stage = new Stage(ring, scenario.name, random(seed));
  try {
    const { injected, what, ...changed } = await scenario.run(stage);
    const { lost, violations } = await judge(ring, stage, changed);
    return {
      scenario: scenario.name,
      injected: `${injected} ${what}`,
      lost: lost.length,
      violations: [
        ...violations,
        ...stage.violations,
        ...unconditionalWrites(ring.proxy.requests),
        ...(injected > 0 ? [] : ['nothing was injected, so nothing is shown']),
      ],
      seed,
      seconds: Math.round((performance.now() - startedMs) / 1000),
    };
  } catch (error) {
    stage.log(String(error));
    return {
      scenario: scenario.name,
      injected: 'unknown',
      lost: undefined,
      violations: [toError(error).message, ...stage.violations],
      seed,
      seconds: Math.round((performance.now() - startedMs) / 1000),
    };
  } finally {
    ring.proxy.inject(() => undefined);
    await stage.end();
  }
}

async function judge(
  ring: ReadyRing,
  stage: Stage,
  { failed, files }: Pick<Outcome, 'failed' | 'files'>,
): Promise<Findings> {
  const output = await stage.storage();
  const wanted = files ?? (failed ? await withFailures(ring, failed, output) : ring.expected.files);
  return checkInvariants(output, { keys: ring.expected.keys, files: wanted });
}

/** Another one for each scenario, so that the choice of scenarios changes nothing. FNV-1a. */
function seedOf(seed: number, name: string): number {
  let hash = 0x811c9dc5 ^ seed;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
