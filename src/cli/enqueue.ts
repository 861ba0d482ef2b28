import type { Command } from 'commander';
import { z } from 'zod';
import { loadConfig } from '../../config/load.ts';
import { enqueueRun } from '../flow/enqueue.ts';
import { withLifetime } from '../runtime/lifetime.ts';
import { createLogger } from '../runtime/log.ts';
import { CLUSTER_HELP, openCluster } from './cluster.ts';
import { addResultOptions, numberIfAny, setting } from './settings.ts';
import { printEnd, watchRun } from './watch.ts';

const HELP = `${CLUSTER_HELP}

Source, model and output are given as the workers see them. The same command again resumes what was interrupted or
cancelled, and does nothing for a complete run.

Examples:
  $ millrace enqueue s3://bucket/photos/ --model s3://bucket/models/cards/ --output s3://bucket/labels/ --wait
  $ millrace watch s3://bucket/labels/`;

const enqueueOptions = z.object({
  model: z.string(),
  output: z.string(),
  priority: z.int().min(0).max(2_097_151).optional(),
  wait: z.boolean().optional(),
  json: z.boolean().optional(),
  config: z.string().optional(),
  shardSize: setting,
  scoreThreshold: setting,
  labelThreshold: setting,
  annotate: z.boolean().optional(),
  maxFailures: z.string().optional(),
});

export function addEnqueueCommand(program: Command): void {
  const command = program
    .command('enqueue')
    .description('hand a run to a cluster of coordinator and workers')
    .argument('<source>', 'what to label: s3://bucket/prefix/, a folder, or a list')
    .requiredOption('--model <package>', 'the model package that workers serve, a folder or s3://')
    .requiredOption('--output <uri>', 'where the results go; a new place, or one that this run began')
    .option(
      '--priority <n>',
      'among the runs of one model: 0 is first (default), larger numbers wait',
      numberIfAny,
    );
  addResultOptions(command)
    .option('--wait', 'follow the run until it ends')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', HELP)
    .action(async (source: string, options: unknown) => {
      await enqueue(source, enqueueOptions.parse(options));
    });
}

async function enqueue(source: string, options: z.infer<typeof enqueueOptions>): Promise<void> {
  const { model, output, priority = 0, wait, json, config: file, ...flags } = options;
  const config = loadConfig({ flags, environment: process.env, ...(file !== undefined && { file }) });
  const log = createLogger(config.logLevel ?? 'warn');
  const run = await withLifetime(async (lifetime) =>
    enqueueRun(
      { source, model, output, config, priority },
      await openCluster('enqueue', config, log, lifetime),
    ),
  );
  if (wait) return printEnd(await watchRun(output), json);
  process.stdout.write(
    json
      ? `${JSON.stringify(run, null, 2)}\n`
      : run.alreadyComplete
        ? `Nothing to do: run ${run.runId} is complete. Results: ${run.output}\n`
        : `Run ${run.runId} is enqueued. To follow it: millrace watch ${output}\n`,
  );
}
