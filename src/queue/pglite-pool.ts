import { EventEmitter } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import type { PGlite } from '@electric-sql/pglite';
import type { PgPool, PgPoolClient, PgQueryResult } from 'bullmq';

/**
 * PGlite answers within the same tick, and a busy worker has always a next query: without a turn of the event loop in
 * between, timers and I/O would starve.
 *
 * Without parameters PGlite's simple protocol runs several statements, as node-postgres does; the last one answers.
 */
async function query<R>(
  database: PGlite,
  text: string,
  params?: readonly unknown[],
): Promise<PgQueryResult<R>> {
  await setImmediate();
  const result =
    params === undefined || params.length === 0
      ? (await database.exec(text)).at(-1)
      : await database.query<R>(text, [...params]);
  // PGlite types the rows of `exec` as records of unknown columns; what they hold is the caller's promise, as in pg.
  const rows = (result?.rows ?? []) as R[];
  return { rows, rowCount: result?.affectedRows ?? rows.length };
}

/**
 * A "connection" of the pool. All share one session, so a LISTEN by one is heard by every one: BullMQ's listeners look
 * at the channel and the payload themselves.
 */
class PgliteClient extends EventEmitter implements PgPoolClient {
  readonly #database: PGlite;
  readonly #stopListening: () => void;

  constructor(database: PGlite) {
    super();
    this.#database = database;
    this.#stopListening = database.onNotification((channel, payload) => {
      this.emit('notification', { channel, payload });
    });
  }

  query<R>(text: string, params?: readonly unknown[]): Promise<PgQueryResult<R>> {
    return query<R>(this.#database, text, params);
  }

  release(): void {
    this.#stopListening();
  }
}

/**
 * An in-process PGlite in the shape of a `pg.Pool`, as BullMQ's Postgres backend takes it. It is one session: a
 * transaction of several statements would mix with others. BullMQ has one only in its migrations, which run before the
 * pool is used for anything else; each of its operations is a single statement.
 */
export class PglitePool extends EventEmitter implements PgPool {
  /** Says that a lost connection will be noticed: BullMQ then waits for notifications instead of polling. */
  readonly options = { keepAlive: true };
  readonly #database: PGlite;

  constructor(database: PGlite) {
    super();
    this.#database = database;
    // One 'error' listener for each queue, worker and flow producer.
    this.setMaxListeners(0);
  }

  query<R>(text: string, params?: readonly unknown[]): Promise<PgQueryResult<R>> {
    return query<R>(this.#database, text, params);
  }

  connect(): Promise<PgPoolClient> {
    return Promise.resolve(new PgliteClient(this.#database));
  }

  end(): Promise<void> {
    return this.#database.close();
  }
}
