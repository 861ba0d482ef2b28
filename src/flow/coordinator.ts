/** What a coordinator does with each run: plan -> enqueue -> merge. Every step may be repeated, by anybody. */
import { mergeRun } from '../merge/merge.ts';
import { readRecords } from '../merge/read-records.ts';
import { listImages } from '../plan/list-images.ts';
import { missingShards } from '../plan/missing-shards.ts';
import { planRun } from '../plan/plan-run.ts';
import type { RunSteps } from '../queue/runs.ts';
import { assertActive, readControl } from '../run/control.ts';
import { CommitTally } from '../run/commit-tally.ts';
import type { CommitDocument, ControlDocument, PlanDocument } from '../run/documents.ts';
import { budgetExceeded, exceedsBudget, FAILURE_EXAMPLES } from '../run/failure-budget.ts';
import type { OpenRun, OpenRuns } from '../run/open-runs.ts';
import { readCommit } from '../run/read-write.ts';
import { type FailedRecord, isFailed } from '../run/record.ts';
import { openStorage } from '../storage/open.ts';
import type { Storage } from '../storage/storage.ts';

export interface CoordinatorHooks {
  readonly onPlanned?: (plan: PlanDocument) => void;
  /** Told every commit that is found when the run is enqueued. */
  readonly onCommitted?: (commit: CommitDocument) => void;
}

export function runSteps(runs: OpenRuns, { onPlanned, onCommitted }: CoordinatorHooks = {}): RunSteps {
  const openActive = async (runId: string): Promise<{ open: OpenRun; control: ControlDocument }> => {
    const open = await runs.open(runId);
    const control = await readControl(open.output);
    assertActive(control);
    return { open, control };
  };
  return {
    plan: async (runId) => {
      const { open } = await openActive(runId);
      const { run, output } = open;
      const source = await openStorage(run.source);
      const plan = await planRun(output, listImages(source), run.options.shardSize, run.model.batch.max);
      onPlanned?.(plan);
      return { model: run.model.name };
    },
    missingShards: async function* (runId) {
      const { open, control } = await openActive(runId);
      yield* missingShards(open.output, await open.plan(), {
        generation: control.generation,
        ...(onCommitted && { onCommitted }),
      });
    },
    merge: async (runId, failures) => {
      const { open, control } = await openActive(runId);
      const [firstFailure] = failures.first;
      if (firstFailure) throw firstFailure.error;
      await judgeAtEnd(open, control);
      const { run, output } = open;
      await mergeRun(output, {
        manifest: run.model,
        options: run.options,
        generation: control.generation,
        keyPrefix: keyPrefixOf(run.source),
      });
    },
  };
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

/** Keys of an S3 source are told apart by their bucket: `bucket/prefix/`. */
const keyPrefixOf = (source: string): string => /^s3:\/\/(.*)$/.exec(source)?.[1] ?? '';
