import { createRedisBackend } from 'bullmq';
import { Redis } from 'ioredis';
import { z } from 'zod';
import { MillraceError, toError } from '../runtime/errors.ts';
import { boundFactory, type BullBackend, type JobStanding } from './backend.ts';
import { assertUsableRedis } from './redis-facts.ts';

const CONNECT_TIMEOUT_MS = 5_000;
/** Between two tries to reconnect, for ever. */
const [FIRST_RETRY_MS, LAST_RETRY_MS] = [50, 2_000];
/** How long a connection may take to say goodbye. */
const QUIT_TIMEOUT_MS = 1_000;

/** BullMQ's own default; the ACL in config/redis/ names it. */
const PREFIX = 'bull';

/** What tells where a job stands: only one that completed has a return value. */
const FIELDS = ['timestamp', 'finishedOn', 'returnvalue'] as const;
const field = z.string().nullable();
const answers = z.array(z.tuple([z.null(), z.tuple([field, field, field])]));

/**
 * BullMQ on a Redis. One that cannot be reached now is an error at once; one that goes away later is waited for.
 *
 * @throws MillraceError QUEUE_UNAVAILABLE; CONFIG_INVALID for one that cannot hold the queue.
 */
export async function openRedisBackend(url: URL, onError: (error: Error) => void): Promise<BullBackend> {
  await probe(url);
  const client = new Redis(url.href, {
    // BullMQ's workers wait for ever; producers then do, too.
    maxRetriesPerRequest: null,
    connectTimeout: CONNECT_TIMEOUT_MS,
    retryStrategy: (tries) => Math.min(FIRST_RETRY_MS * 2 ** Math.min(tries, 10), LAST_RETRY_MS),
  });
  client.on('error', onError);
  await client.ping();
  const jobKey = (queue: string, id: string): string => `${PREFIX}:${queue}:${id}`;
  return {
    kind: 'redis',
    factory: boundFactory(createRedisBackend, client),
    groupSize: 250,
    standings: async (queue, jobIds) => {
      const pipeline = client.pipeline();
      for (const id of jobIds) pipeline.hmget(jobKey(queue, id), ...FIELDS);
      return answers.parse(await pipeline.exec()).map(([, fields]) => standing(...fields));
    },
    forgetFailures: async (parent, queue, jobIds) => {
      if (jobIds.length === 0) return;
      await client.hdel(
        `${jobKey(parent.queue, parent.id)}:failed`,
        ...jobIds.map((id) => jobKey(queue, id)),
      );
    },
    get reachable() {
      return client.status === 'ready';
    },
    ping: async () => {
      if (client.status !== 'ready') throw new Error(`no connection to Redis at ${placeOf(url)}`);
      await client.ping();
    },
    close: () => quit(client),
  };
}

function standing(added: string | null, finished: string | null, returned: string | null): JobStanding {
  if (added === null) return 'gone';
  if (finished === null) return 'live';
  return returned === null ? 'failed' : 'completed';
}

/** Connects once, without a second try, and looks whether this Redis will do. */
async function probe(url: URL): Promise<void> {
  const client = new Redis(url.href, {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: CONNECT_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  // `connect` itself rejects with "Connection is closed", whatever the reason.
  let reason: Error | undefined;
  client.on('error', (error) => (reason = error));
  try {
    await client.connect();
    assertUsableRedis(await client.info(), placeOf(url));
  } catch (error) {
    if (error instanceof MillraceError) throw error;
    throw unavailable(url, reason ?? toError(error));
  } finally {
    client.disconnect();
  }
}

function unavailable(url: URL, cause: Error): MillraceError {
  const place = placeOf(url);
  if (/WRONGPASS|NOAUTH|NOPERM/.test(cause.message)) {
    return new MillraceError(
      'CONFIG_INVALID',
      `QUEUE_URL: the Redis at ${place} refuses user "${url.username || 'default'}" (${cause.message}): ` +
        'check the user, the password and what the user may do (config/redis/users.acl)',
    );
  }
  return new MillraceError(
    'QUEUE_UNAVAILABLE',
    `the Redis at ${place} does not answer (${cause.message}): check QUEUE_URL and that it runs`,
    { cause },
  );
}

async function quit(client: Redis): Promise<void> {
  if (client.status === 'ready') {
    const timeout = setTimeout(() => client.disconnect(), QUIT_TIMEOUT_MS);
    await client.quit().catch(() => undefined);
    clearTimeout(timeout);
  }
  client.disconnect();
}

/** Host and port, without user and password. */
const placeOf = (url: URL): string => `${url.hostname}:${url.port || '6379'}`;
