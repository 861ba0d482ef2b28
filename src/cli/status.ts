import type { Command } from 'commander';
import { readRun, type RunStatus } from '../flow/follow.ts';

export function addStatusCommand(program: Command): void {
  program
    .command('status')
    .description('where a run stands, told from its output alone')
    .argument('<output>', "the run's output, a folder or s3://")
    .option('--json', 'print it as JSON')
    .action(async (output: string, { json }: { json?: boolean }) => {
      const status = await readRun(output);
      process.stdout.write(json ? `${JSON.stringify(status, null, 2)}\n` : describeStatus(status));
    });
}

/** A few lines for people. */
export function describeStatus(status: RunStatus): string {
  const { tally, success } = status;
  const failures = Object.entries(tally.failures).map(([failureClass, count]) => `${count} ${failureClass}`);
  const rows: [string, string][] = [
    ['run', `${status.runId}, ${status.state}${status.reason ? ` (${status.reason})` : ''}`],
    ['source', status.source],
    ['model', status.model],
    [
      'images',
      status.state === 'planning'
        ? 'not planned yet'
        : `${tally.labelled + tally.failed} of ${status.images} done`,
    ],
    ['labelled', String(tally.labelled)],
    ['failed', `${tally.failed}${failures.length > 0 ? ` (${failures.join(', ')})` : ''}`],
    ['shards', `${status.committedShards} of ${status.shards} committed`],
    ...(success ? [['annotations', String(success.annotations)] satisfies [string, string]] : []),
    ['results', status.output],
  ];
  return rows.map(([name, value]) => `${name.padEnd(12)}${value}\n`).join('');
}
