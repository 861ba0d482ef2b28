import { setTimeout } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { MillraceError } from '../runtime/errors.ts';
import type { Storage } from '../storage/storage.ts';
import { type ControlDocument, controlDocument, MAX_REASON_CHARACTERS } from './documents.ts';
import type { FailureBudget } from './failure-budget.ts';
import { CONTROL_KEY } from './layout.ts';
import { readJson, toJsonBytes } from './read-write.ts';

const ACTIVE: ControlDocument = { schema: 1, state: 'active', generation: 0 };

/** What is wanted of the run in this output. */
export async function readControl(output: Storage): Promise<ControlDocument> {
  return (await readJson(output, CONTROL_KEY, controlDocument)) ?? ACTIVE;
}

/** Stops everybody who works on the run, whatever the queue forgets; what is committed stays. */
export async function stopRun(
  output: Storage,
  state: 'cancelled' | 'over-budget' | 'failed',
  reason: string,
): Promise<void> {
  await writeControl(output, {
    ...(await readControl(output)),
    state,
    reason: reason.slice(0, MAX_REASON_CHARACTERS),
  });
}

export interface Activation {
  /** A budget of its own instead of the one that the run had. */
  readonly maxFailures?: FailureBudget | undefined;
  /** Try images that have failed once more. */
  readonly retryFailed?: boolean;
}

/** Lets a run begin or go on. */
export async function activateRun(output: Storage, activation: Activation): Promise<void> {
  const before = await readControl(output);
  const maxFailures = activation.maxFailures ?? before.maxFailures;
  const control: ControlDocument = {
    schema: 1,
    state: 'active',
    generation: before.generation + (activation.retryFailed ? 1 : 0),
    ...(maxFailures && { maxFailures }),
  };
  if (!isDeepStrictEqual(control, before)) await writeControl(output, control);
}

const writeControl = (output: Storage, control: ControlDocument): Promise<void> =>
  output.put(CONTROL_KEY, toJsonBytes(control));

/** @throws MillraceError RUN_CANCELLED, RUN_FAILED, FAILURE_BUDGET_EXCEEDED. */
export function assertActive({ state, reason }: ControlDocument): void {
  if (state === 'active') return;
  if (state === 'over-budget')
    throw new MillraceError(
      'FAILURE_BUDGET_EXCEEDED',
      reason ?? 'too many images failed; look at the failures, then resume with a larger --max-failures',
    );
  if (state === 'failed')
    throw new MillraceError(
      'RUN_FAILED',
      `${reason ?? 'the run has failed'}. What is done is kept: "millrace resume <output>" goes on.`,
    );
  throw new MillraceError(
    'RUN_CANCELLED',
    `the run was cancelled${reason ? ` (${reason})` : ''}. What is done is kept: "millrace resume <output>" goes on.`,
  );
}

/**
 * Runs `work` while the run is active: its signal aborts, with the reason, when the run is stopped meanwhile.
 *
 * @throws MillraceError RUN_CANCELLED, FAILURE_BUDGET_EXCEEDED before `work` begins; later what `work` throws.
 */
export async function whileActive<T>(
  output: Storage,
  pollMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  assertActive(await readControl(output));
  const stop = new AbortController();
  const done = new AbortController();
  const poll = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await setTimeout(pollMs, undefined, { signal: done.signal });
      // Storage trouble is for the work itself to notice; the next look may succeed.
      const control = await readControl(output).catch(() => ACTIVE);
      try {
        assertActive(control);
      } catch (error) {
        stop.abort(error);
      }
    }
  };
  const polling = poll().catch(() => undefined);
  try {
    return await work(stop.signal);
  } finally {
    done.abort();
    await polling;
  }
}
