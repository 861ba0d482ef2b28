import type { Command } from 'commander';
import { z } from 'zod';
import { loadConfig } from '../../config/load.ts';
import { readBoardPassword } from '../../config/secrets.ts';
import { runBoard } from '../../workers/board.ts';
import { withLifetime } from '../runtime/lifetime.ts';
import { createLogger } from '../runtime/log.ts';
import { CLUSTER_HELP, openCluster } from './cluster.ts';

const HELP = `${CLUSTER_HELP}

Who may log in:
  MILLRACE_BOARD_USER        the user (default: millrace)
  MILLRACE_BOARD_PASSWORD    the password, at least 12 characters; there is no default
                             (or MILLRACE_BOARD_PASSWORD_FILE: a file that holds it)

It listens on port MILLRACE_BOARD_PORT (3000) without TLS, which is for the ingress to add; /livez needs no password.

Example:
  $ QUEUE_URL=redis://redis:6379 MILLRACE_REGISTRY=s3://bucket/millrace/ \\
      MILLRACE_BOARD_PASSWORD_FILE=/run/secrets/board millrace board`;

const boardOptions = z.object({
  host: z.string(),
  allowChanges: z.boolean().optional(),
  config: z.string().optional(),
});

export function addBoardCommand(program: Command): void {
  program
    .command('board')
    .description('show the runs, shards and failures of a cluster in the browser, until told to stop')
    .option('--host <address>', 'address to listen on', '0.0.0.0')
    .option('--allow-changes', 'let who is logged in retry, remove and add jobs, and pause queues')
    .option('--config <file>', 'settings file (default: millrace.yaml where there is one)')
    .addHelpText('after', HELP)
    .action(async (options: unknown) => {
      const { host, allowChanges = false, config: file } = boardOptions.parse(options);
      const config = loadConfig({ flags: {}, environment: process.env, ...(file !== undefined && { file }) });
      const password = readBoardPassword(process.env);
      const log = createLogger(config.logLevel ?? 'info');
      await withLifetime((lifetime) =>
        runBoard({
          config,
          password,
          host,
          allowChanges,
          log,
          lifetime,
          openCluster: () => openCluster('board', config, log, lifetime),
        }),
      );
    });
}
