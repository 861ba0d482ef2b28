import type { Command } from 'commander';
import { cancelRun } from '../flow/enqueue.ts';

export function addCancelCommand(program: Command): void {
  program
    .command('cancel')
    .description('stop a run within seconds; what is done is kept, and "resume" goes on')
    .argument('<output>', "the run's output, a folder or s3://")
    .option('--reason <text>', 'is shown to those who ask for its status')
    .addHelpText(
      'after',
      `
Writes control.json to the output, which every worker looks at: it needs no queue, and holds when the queue forgets.`,
    )
    .action(async (output: string, { reason }: { reason?: string }) => {
      await cancelRun(output, reason ?? 'by "millrace cancel"');
      process.stdout.write(`Cancelled. To go on: millrace resume ${output}\n`);
    });
}
