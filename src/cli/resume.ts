import type { Command } from 'commander';
import { z } from 'zod';
import { loadConfig } from '../../config/load.ts';
import { resumeRun } from '../flow/enqueue.ts';
import { withLifetime } from '../runtime/lifetime.ts';
import { createLogger } from '../runtime/log.ts';
import { CLUSTER_HELP, openCluster } from './cluster.ts';
import { printEnd, watchRun } from './watch.ts';

const resumeOptions = z.object({
  failed: z.boolean().optional(),
  maxFailures: z.string().optional(),
  wait: z.boolean().optional(),
  config: z.string().optional(),
});

export function addResumeCommand(program: Command): void {
  program
    .command('resume')
    .description('let a run of the cluster go on: everything that has no commit, or the failed images too')
    .argument('<output>', "the run's output, a folder or s3://")
    .option('--failed', 'try the images that have failed once more, also in a complete run')
    .option('--max-failures <n|n%>', 'another budget than the run had')
    .option('--wait', 'follow the run until it ends')
    .option('--config <file>', 'settings file (default: millrace.yaml where there is one)')
    .addHelpText('after', CLUSTER_HELP)
    .action(async (output: string, options: unknown) => {
      const { failed, maxFailures, wait, config: file } = resumeOptions.parse(options);
      const config = loadConfig({
        flags: { maxFailures },
        environment: process.env,
        ...(file !== undefined && { file }),
      });
      const log = createLogger(config.logLevel ?? 'warn');
      const { runId, alreadyComplete } = await withLifetime(async (lifetime) =>
        resumeRun(
          output,
          { retryFailed: failed ?? false, maxFailures: config.maxFailures },
          await openCluster('resume', config, log, lifetime),
        ),
      );
      process.stdout.write(
        alreadyComplete ? `Nothing to do: run ${runId} is complete.\n` : `Run ${runId} goes on.\n`,
      );
      if (wait) printEnd(await watchRun(output));
    });
}
