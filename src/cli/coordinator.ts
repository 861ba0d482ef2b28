import type { Command } from 'commander';
import { z } from 'zod';
import { loadConfig } from '../../config/load.ts';
import { runCoordinator } from '../../workers/coordinator.ts';
import { withLifetime } from '../runtime/lifetime.ts';
import { createLogger } from '../runtime/log.ts';
import { CLUSTER_HELP, openCluster } from './cluster.ts';

const HELP = `${CLUSTER_HELP}
  MILLRACE_ALLOWED_URIS    what it may read and write: URI prefixes, separated by commas

It also puts runs of the registry back on the queue that the queue has forgotten (every MILLRACE_RECONCILE_SECONDS), and
stops runs that fail too often. Two coordinators at once are safe. Health and metrics are on port MILLRACE_HTTP_PORT
(9464): /livez /readyz /startupz /metrics.`;

const coordinatorOptions = z.object({ config: z.string().optional() });

export function addCoordinatorCommand(program: Command): void {
  program
    .command('coordinator')
    .description('plan, watch and merge runs until told to stop')
    .option('--config <file>', 'settings file (default: millrace.yaml where there is one)')
    .addHelpText('after', HELP)
    .action(async (options: unknown) => {
      const { config: file } = coordinatorOptions.parse(options);
      const config = loadConfig({ flags: {}, environment: process.env, ...(file !== undefined && { file }) });
      const log = createLogger(config.logLevel ?? 'info');
      await withLifetime((lifetime) =>
        runCoordinator({
          config,
          log,
          lifetime,
          openCluster: () => openCluster('coordinator', config, log, lifetime),
        }),
      );
    });
}
