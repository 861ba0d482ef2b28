import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { errorHandler } from '@bull-board/api/dist/handlers/error.js';
import type { ControllerHandlerReturnType } from '@bull-board/api/typings/app';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyPluginCallback } from 'fastify';
import { openBoardQueue } from '../queue/board-queues.ts';
import type { QueueConnection } from '../queue/connection.ts';
import { redactAnswer, redactJobData } from './redact-job.ts';

/** How often a page asks for news; each time the counts of every queue are read. */
const POLLING_SECONDS = 5;

/** Bull Board, and the queues that it shows. */
export interface BoardPlugin {
  readonly plugin: FastifyPluginCallback;
  /** Shows these queues from now on, in this order. */
  show(names: readonly string[]): void;
}

/** Bull Board over the queues of `connection`, with everything redacted that comes out of them. */
export function createBoardPlugin(connection: QueueConnection, allowChanges: boolean): BoardPlugin {
  const server = new FastifyAdapter();
  const adapters = new Map<string, BullMQAdapter>();
  const { replaceQueues } = createBullBoard({
    queues: [],
    serverAdapter: server,
    options: {
      uiConfig: {
        boardTitle: 'Millrace',
        // What the queue runs on is not the business of who may see jobs.
        hideRedisDetails: true,
        pollingInterval: { forceInterval: POLLING_SECONDS },
      },
      handlerHooks: { after: (_context, result) => redacted(result) },
    },
  });

  server.setErrorHandler((error) => redacted(errorHandler(error)));

  const adapterOf = (name: string): BullMQAdapter => {
    const known = adapters.get(name);
    if (known) return known;
    const adapter = new BullMQAdapter(openBoardQueue(connection, name), { readOnlyMode: !allowChanges });
    adapter.setFormatter('data', redactJobData);
    adapters.set(name, adapter);
    return adapter;
  };

  return {
    plugin: server.registerPlugin(),
    show: (names) => replaceQueues(names.map(adapterOf)),
  };
}

const redacted = (answer: ControllerHandlerReturnType): ControllerHandlerReturnType => ({
  ...answer,
  body: redactAnswer(answer.body),
});
