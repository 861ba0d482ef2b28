import { MillraceError } from '../runtime/errors.ts';
import type { BullBackend } from './backend.ts';
import { BullConnection } from './bull-connection.ts';
import { QUEUE_DEFAULTS, type QueueSettings } from './defaults.ts';
import { openEmbeddedBackend } from './embedded-backend.ts';
import { isOutage } from './outage.ts';
import { openPostgresBackend } from './postgres-backend.ts';
import type { QueueConnection } from './queue-connection.ts';
import { openRedisBackend } from './redis-backend.ts';

export type { QueueConnection } from './queue-connection.ts';

export interface QueueOptions extends Partial<QueueSettings> {
  /** `QUEUE_URL`. Without one: the embedded queue, in this process's memory and for this process alone. */
  readonly url?: string | undefined;
  /** Hears of what goes wrong in the background, where no caller waits. Without one: the process's warnings. */
  readonly log?: { error(fields: { err: Error }, message: string): void } | undefined;
}

/** An outage is said once, not at each of the tries to reconnect that every queue and worker hears of. */
const QUIET_MS = 30_000;

/**
 * @throws MillraceError CONFIG_INVALID for a URL that no backend serves or a server that cannot hold the queue;
 *   QUEUE_UNAVAILABLE for a server that does not answer. Neither message has the password.
 */
export async function openQueue({ url, log, ...settings }: QueueOptions = {}): Promise<QueueConnection> {
  const saidAtMs = new Map<string, number>();
  const onError = (error: Error, context: string): void => {
    const nowMs = performance.now();
    if (isOutage(error)) {
      const saidMs = saidAtMs.get(error.message);
      if (saidMs !== undefined && nowMs - saidMs < QUIET_MS) return;
      saidAtMs.set(error.message, nowMs);
    }
    if (log) log.error({ err: error }, context);
    else process.emitWarning(`${context}: ${error.message}`);
  };
  const backend = await openBackend(url, (error) => onError(error, 'the queue'));
  return new BullConnection(
    backend,
    { ...QUEUE_DEFAULTS, groupSize: backend.groupSize, ...settings },
    onError,
  );
}

/** The one place that knows which URL selects which of BullMQ's backends. */
function openBackend(text: string | undefined, onError: (error: Error) => void): Promise<BullBackend> {
  if (text === undefined) return openEmbeddedBackend();
  const url = parseUrl(text);
  switch (url.protocol) {
    case 'redis:':
    case 'rediss:':
      return openRedisBackend(url, onError);
    case 'postgres:':
    case 'postgresql:':
      return openPostgresBackend(url, onError);
    default:
      throw unknownUrl(`starts with ${url.protocol}`);
  }
}

/** The text itself is never shown: it may hold a password. */
function parseUrl(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw unknownUrl('is not a URL');
  }
}

const unknownUrl = (what: string): MillraceError =>
  new MillraceError(
    'CONFIG_INVALID',
    `QUEUE_URL ${what}; it is redis://, rediss:// or postgres:// with user:password@host:port, or unset for the embedded queue`,
  );
