import type { Command } from 'commander';
import { z } from 'zod';
import { loadConfig } from '../../config/load.ts';
import { runInferenceWorker } from '../../workers/inference.ts';
import { withLifetime } from '../runtime/lifetime.ts';
import { createLogger } from '../runtime/log.ts';
import { CLUSTER_HELP, openCluster } from './cluster.ts';

const HELP = `${CLUSTER_HELP}
  MILLRACE_ALLOWED_URIS    what this worker may read and write: URI prefixes, separated by commas

SIGTERM: it takes no further shard, finishes those in hand within MILLRACE_DRAIN_SECONDS (60) or gives them back, and
exits 0. Health and metrics are on port MILLRACE_HTTP_PORT (9464): /livez /readyz /startupz /metrics.

Example:
  $ QUEUE_URL=redis://redis:6379 MILLRACE_REGISTRY=s3://bucket/millrace/ \\
      millrace worker --model s3://bucket/models/cards/`;

const workerOptions = z.object({ model: z.array(z.string()).min(1), config: z.string().optional() });

export function addWorkerCommand(program: Command): void {
  program
    .command('worker')
    .description('label shards of one or more models, of every run that has some, until told to stop')
    .requiredOption(
      '--model <package>',
      'a model package, a folder or s3://; may be repeated',
      (place: string, before: string[] | undefined) => [...(before ?? []), place],
    )
    .option('--config <file>', 'settings file (default: millrace.yaml where there is one)')
    .addHelpText('after', HELP)
    .action(async (options: unknown) => {
      const { model, config: file } = workerOptions.parse(options);
      const config = loadConfig({ flags: {}, environment: process.env, ...(file !== undefined && { file }) });
      const log = createLogger(config.logLevel ?? 'info');
      await withLifetime((lifetime) =>
        runInferenceWorker({
          models: model,
          config,
          log,
          lifetime,
          openCluster: () => openCluster('worker', config, log, lifetime),
        }),
      );
    });
}
