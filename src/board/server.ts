import basicAuth from '@fastify/basic-auth';
import { fastify } from 'fastify';
import { setTimeout } from 'node:timers/promises';
import type { QueueConnection } from '../queue/connection.ts';
import { RUNS_QUEUE } from '../queue/jobs.ts';
import { toError } from '../runtime/errors.ts';
import { listen } from '../runtime/listen.ts';
import type { Logger } from '../runtime/log.ts';
import { type BoardPlugin, createBoardPlugin } from './plugin.ts';
import { addSecurityHeaders, type BoardCredentials, isAllowed, isCrossSite, isRead } from './security.ts';

/** Nothing that the board takes is larger. */
const MAX_BODY_BYTES = 64 * 1024;

export interface BoardOptions {
  /** The queue; the board does not close it. */
  readonly connection: QueueConnection;
  /** Names of the queues to show besides `millrace.runs`. */
  readonly listQueues: () => Promise<readonly string[]>;
  readonly credentials: BoardCredentials;
  /** 0: any that is free. */
  readonly port: number;
  readonly host: string;
  /** Whether who is logged in may retry, remove and add jobs, and pause queues. */
  readonly allowChanges: boolean;
  /** How often queues that are new are looked for. */
  readonly refreshMs: number;
  readonly log: Logger;
}

export interface Board {
  /** `http://address:port`. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves Bull Board behind a password, and `/livez` without one. TLS is the ingress's.
 *
 * @throws MillraceError CONFIG_INVALID if the port is taken or not allowed.
 */
export async function serveBoard(options: BoardOptions): Promise<Board> {
  const { connection, credentials, allowChanges, log } = options;
  const board = createBoardPlugin(connection, allowChanges);
  const server = fastify({ bodyLimit: MAX_BODY_BYTES, forceCloseConnections: true });

  server.addHook('onSend', addSecurityHeaders);
  server.get('/livez', async () => ({ status: 'ok' }));
  await server.register(async (locked) => {
    await locked.register(basicAuth, {
      authenticate: { realm: 'Millrace' },
      validate: async (user, password, request) => {
        if (isAllowed({ user, password }, credentials)) return undefined;
        log.warn({ address: request.ip }, 'somebody failed to log in to the board');
        return new Error('wrong user or password');
      },
    });
    locked.addHook('onRequest', locked.basicAuth);
    locked.addHook('onRequest', async (request, reply) => {
      if (isRead(request)) return undefined;
      if (!allowChanges)
        return reply.code(405).header('allow', 'GET, HEAD').send({ error: 'this board is read-only' });
      if (isCrossSite(request))
        return reply.code(403).send({ error: 'changes are taken from the board itself only' });
      return undefined;
    });
    await locked.register(board.plugin);
    // Paths that do not exist ask for the password too.
    locked.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'not found' }));
  });

  board.show([RUNS_QUEUE]);
  const closed = new AbortController();
  const close = async (): Promise<void> => {
    closed.abort();
    await server.close();
  };
  try {
    const url = await listen(server, options);
    void keepQueuesShown(board, options, closed.signal);
    return { url, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Looks for queues now and every `refreshMs`, until `signal` aborts. */
async function keepQueuesShown(
  board: BoardPlugin,
  { listQueues, refreshMs, log }: BoardOptions,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const names = await listQueues();
      if (!signal.aborted) board.show([...new Set([RUNS_QUEUE, ...names])]);
    } catch (error) {
      log.warn({ err: toError(error) }, 'the board cannot look for new queues');
    }
    await setTimeout(refreshMs, undefined, { signal }).catch(() => undefined);
  }
}
