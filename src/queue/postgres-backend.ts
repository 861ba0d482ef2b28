import {
  assertSchemaCompatibility,
  createPostgresBackend,
  DEFAULT_SCHEMA,
  isPgPool,
  type PgPool,
  runMigrations,
  SchemaVersionMismatchError,
  UnsupportedPostgresVersionError,
} from 'bullmq';
import { Client, Pool } from 'pg';
import { MillraceError, systemCode, toError } from '../runtime/errors.ts';
import { boundFactory, type BullBackend } from './backend.ts';
import { postgresJobs } from './postgres-jobs.ts';

const CONNECT_TIMEOUT_MS = 5_000;
/** Each worker keeps one to listen on; the rest are opened as they are needed. */
const MAX_CONNECTIONS = 10;
/** PostgreSQL's code for a missing right. */
const INSUFFICIENT_PRIVILEGE = '42501';

/**
 * BullMQ on a PostgreSQL server, in the schema `bullmq`, which is made or migrated first. A server that cannot be
 * reached now is an error at once.
 *
 * @throws MillraceError QUEUE_UNAVAILABLE; CONFIG_INVALID for one that cannot hold the queue.
 */
export async function openPostgresBackend(url: URL, onError: (error: Error) => void): Promise<BullBackend> {
  await migrate(url);
  const pool = openPool(url, onError);
  return {
    kind: 'postgres',
    factory: boundFactory(createPostgresBackend, pool),
    groupSize: 250,
    ...postgresJobs(pool),
    reachable: true,
    close: () => pool.end(),
  };
}

function openPool(url: URL, onError: (error: Error) => void): PgPool {
  const opened = new Pool({ connectionString: withSearchPath(url), keepAlive: true, max: MAX_CONNECTIONS });
  // Each queue, worker and flow producer listens to it.
  opened.setMaxListeners(0);
  opened.on('error', onError);
  const pool: unknown = opened;
  // The two packages' types differ in the listeners of events that BullMQ does not use.
  if (!isPgPool(pool)) throw new TypeError("pg's Pool is not what BullMQ takes");
  return pool;
}

async function migrate(url: URL): Promise<void> {
  const client = new Client({ connectionString: url.href, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  // The server may end the connection between two queries: the next one fails.
  client.on('error', () => undefined);
  try {
    await client.connect();
    try {
      await runMigrations(client);
    } catch (error) {
      if (systemCode(error) !== INSUFFICIENT_PRIVILEGE) throw error;
      await assertSchemaCompatibility(client);
    }
  } catch (error) {
    throw postgresError(toError(error), url);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** What went wrong when a server was opened, without the password. */
export function postgresError(error: Error, url: URL): MillraceError {
  const place = `${url.hostname}:${url.port || '5432'}`;
  const unsuitable =
    error instanceof UnsupportedPostgresVersionError || error instanceof SchemaVersionMismatchError;
  // Class 28 is a refused login, 3D a database that is not there, 42 a missing right or table.
  if (unsuitable || /^(28|3D|42)/.test(systemCode(error) ?? '')) {
    return new MillraceError(
      'CONFIG_INVALID',
      `QUEUE_URL: the PostgreSQL at ${place} cannot hold the queue: ${error.message}`,
      { cause: error },
    );
  }
  return new MillraceError(
    'QUEUE_UNAVAILABLE',
    `the PostgreSQL at ${place} does not answer (${error.message || systemCode(error)}): check QUEUE_URL and that it runs`,
    { cause: error },
  );
}

/** BullMQ's statements name its tables without their schema. */
function withSearchPath(url: URL): string {
  const adapted = new URL(url);
  const options = adapted.searchParams.get('options');
  adapted.searchParams.set('options', `${options ?? ''} -c search_path=${DEFAULT_SCHEMA},public`.trim());
  return adapted.href;
}
