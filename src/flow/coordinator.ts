/** What a coordinator does with each run: plan -> enqueue -> merge. Every step may be repeated, by anybody. */
import { mergeRun } from '../merge/merge.ts';
import { readRecords } from '../merge/read-records.ts';
import { missingShards } from '../plan/missing-shards.ts';
import { planRun } from '../plan/plan-run.ts';
import type { RunSteps } from '../queue/runs.ts';
import { assertActive, readControl, stopRun } from '../run/control.ts';
import { CommitTally } from '../run/commit-tally.ts';
import type { CommitDocument, ControlDocument, PlanDocument } from '../run/documents.ts';
import { budgetExceeded, exceedsBudget, FAILURE_EXAMPLES } from '../run/failure-budget.ts';
import type { OpenRun, OpenRuns } from '../run/open-runs.ts';
import { readCommit } from '../run/read-write.ts';
import { type FailedRecord, isFailed } from '../run/record.ts';
import { keyPrefixOf } from '../source/parse-source.ts';
import { isMillraceError } from '../runtime/errors.ts';
import type { Storage } from '../storage/storage.ts';

export interface CoordinatorHooks {
  readonly onPlanned?: (plan: PlanDocument) => void;
  /** Told every commit that is found when the run is enqueued. */
  readonly onCommitted?: (commit: CommitDocument) => void;
}

export function runSteps(runs: OpenRuns, { onPlanned, onCommitted }: CoordinatorHooks = {}): RunSteps {
  return {
    plan: async (runId) => {
      const open = await runs.open(runId);
      const { run, output, source } = open;
      const plan = await asStep(open, () =>
        planRun(output, source.list(), run.options.shardSize, run.model.batch.max),
      );
      onPlanned?.(plan);
      return { model: run.model.name };
    },
    missingShards: async function* (runId) {
      const { output, plan } = await runs.open(runId);
      const control = await readControl(output);
      assertActive(control);
      yield* missingShards(output, await plan(), {
        generation: control.generation,
        ...(onCommitted && { onCommitted }),
      });
    },
    merge: async (runId, failures) => {
      const open = await runs.open(runId);
      await asStep(open, async (control) => {
        const [firstFailure] = failures.first;
        if (firstFailure) throw firstFailure.error;
        await judgeAtEnd(open, control);
        const { run, output } = open;
        await mergeRun(output, {
          manifest: run.model,
          options: run.options,
          generation: control.generation,
          keyPrefix: keyPrefixOf(run.source),
          // A merge may take long, and somebody may have cancelled the run meanwhile.
          confirm: async () => assertActive(await readControl(output)),
        });
      });
    },
  };
}

/** Runs a step unless the run was stopped; an error that no retry can help stops it, so that all who follow it know. */
async function asStep<T>({ output }: OpenRun, step: (control: ControlDocument) => Promise<T>): Promise<T> {
  const control = await readControl(output);
  assertActive(control);
  try {
    return await step(control);
  } catch (error) {
    if (isMillraceError(error) && error.retry === 'never') {
      // Somebody may have stopped it meanwhile, which then is the reason that counts.
      const { state } = await readControl(output);
      const failed = error.code === 'FAILURE_BUDGET_EXCEEDED' ? 'over-budget' : 'failed';
      if (state === 'active' && error.code !== 'RUN_CANCELLED') await stopRun(output, failed, error.message);
    }
    throw error;
  }
}

/** @throws MillraceError FAILURE_BUDGET_EXCEEDED. */
async function judgeAtEnd(open: OpenRun, { maxFailures }: ControlDocument): Promise<void> {
  const plan = await open.plan();
  const commits = new CommitTally(plan.parts.length);
  await commits.update(open.output);
  const tally = commits.total();
  if (!exceedsBudget(tally, maxFailures, true)) return;
  const examples: FailedRecord[] = [];
  for await (const record of failedRecords(open.output, commits)) {
    if (examples.push(record) === FAILURE_EXAMPLES) break;
  }
  throw budgetExceeded(tally, plan.images, maxFailures, examples);
}

async function* failedRecords(output: Storage, commits: CommitTally): AsyncGenerator<FailedRecord> {
  for (const { shard, generation } of commits.withFailures()) {
    const commit = await readCommit(output, shard, generation);
    if (!commit) continue;
    for await (const record of readRecords(output, commit)) if (isFailed(record)) yield record;
  }
}
