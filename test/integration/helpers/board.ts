import { type Board, type BoardOptions, serveBoard } from '../../../src/board/server.ts';
import type { QueueConnection } from '../../../src/queue/connection.ts';
import { addRun, startRunWorker, waitForRun } from '../../../src/queue/runs.ts';
import { startShardWorker } from '../../../src/queue/shards.ts';
import { MillraceError } from '../../../src/runtime/errors.ts';
import { createLogger } from '../../../src/runtime/log.ts';

export const CREDENTIALS = { user: 'millrace', password: 'correct horse battery' };

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

export const AUTHORIZATION = basic(CREDENTIALS.user, CREDENTIALS.password);
export const WRONG_AUTHORIZATION = basic(CREDENTIALS.user, 'correct horse batterx');

export const serveTestBoard = (
  connection: QueueConnection,
  options: Partial<BoardOptions> = {},
): Promise<Board> =>
  serveBoard({
    connection,
    listQueues: async () => ['millrace.shards.cards'],
    credentials: CREDENTIALS,
    port: 0,
    host: '127.0.0.1',
    allowChanges: false,
    refreshMs: 20,
    log: createLogger('silent'),
    ...options,
  });

/** A run of the model `cards` with `shards` shards; shard 3 fails for good with `reason`, and with it the run. */
export async function failRun(
  connection: QueueConnection,
  runId: string,
  shards: number,
  reason: string,
): Promise<void> {
  const runs = startRunWorker(connection, {
    plan: async () => ({ model: 'cards' }),
    missingShards: async function* () {
      for (let shard = 0; shard < shards; shard++) yield { shard, generation: 0 };
    },
    merge: async () => {
      throw new MillraceError('RUN_CORRUPT', 'shard 3 has no commit');
    },
  });
  const work = startShardWorker(connection, {
    model: 'cards',
    concurrency: 2,
    process: async ({ shard }) => {
      if (shard === 3) throw new MillraceError('RUN_CORRUPT', reason);
    },
  });
  await addRun(connection, runId);
  await waitForRun(connection, runId, { pollMs: 20 });
  await Promise.all([runs.close(), work.close()]);
}
