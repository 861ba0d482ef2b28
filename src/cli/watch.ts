import type { Command } from 'commander';
import { followRun, type RunStatus } from '../flow/follow.ts';
import { MillraceError } from '../runtime/errors.ts';
import { ProgressReporter } from './progress.ts';
import { describeStatus } from './status.ts';

export function addWatchCommand(program: Command): void {
  program
    .command('watch')
    .description('follow a run until it ends: progress, then the counts')
    .argument('<output>', "the run's output, a folder or s3://")
    .option('--json', 'print the last status as JSON')
    .addHelpText(
      'after',
      `
Asks the output only: no queue and no worker is needed. Ctrl-C stops watching; the run goes on.
Exit codes: 0 complete, 1 cancelled or failed, 3 stopped for its failures, 130 interrupted.`,
    )
    .action(async (output: string, { json }: { json?: boolean }) => {
      printEnd(await watchRun(output), json);
    });
}

/** Shows progress until the run has ended. @throws MillraceError INTERRUPTED at Ctrl-C. */
export async function watchRun(output: string): Promise<RunStatus> {
  const progress = new ProgressReporter(process.stderr);
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.once('SIGINT', interrupt);
  let last: RunStatus | undefined;
  let doneAtStart: number | undefined;
  try {
    for await (const status of followRun(output, { signal: stop.signal })) {
      last = status;
      const done = status.tally.labelled + status.tally.failed;
      if (status.images > 0) doneAtStart ??= done;
      progress.update({ images: status.images, tally: status.tally, resumed: doneAtStart ?? 0 });
    }
  } finally {
    process.off('SIGINT', interrupt);
    progress.end();
  }
  if (last && !stop.signal.aborted) return last;
  throw new MillraceError(
    'INTERRUPTED',
    `stopped watching; the run goes on. "millrace watch ${output}" watches again, "millrace cancel ${output}" stops it.`,
  );
}

/** Prints how a run has ended, and sets the exit code. */
export function printEnd(status: RunStatus, json = false): void {
  process.stdout.write(json ? `${JSON.stringify(status, null, 2)}\n` : describeStatus(status));
  if (status.state === 'cancelled' || status.state === 'failed') process.exitCode = 1;
  if (status.state === 'over-budget')
    throw new MillraceError('FAILURE_BUDGET_EXCEEDED', status.reason ?? 'too many images failed');
}
