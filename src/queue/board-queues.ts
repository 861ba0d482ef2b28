import { Queue } from 'bullmq';
import { bullOf } from './bull-connection.ts';
import type { QueueConnection } from './queue-connection.ts';

/** BullMQ's own queue, for the board to read; opened once and closed with the connection. */
export function openBoardQueue(connection: QueueConnection, name: string): Queue {
  const queue: unknown = bullOf(connection).queue(name);
  if (queue instanceof Queue) return queue;
  throw new TypeError(`the queue ${name} is not BullMQ's`);
}
