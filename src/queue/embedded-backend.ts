import { createPostgresBackend } from 'bullmq';
import { bullBackend, type BullBackend } from './bull-connection.ts';
import { openDatabase } from './embedded-database.ts';
import { PglitePool } from './pglite-pool.ts';

/** BullMQ's Postgres backend on a database in this process's memory: no server, and the very same code. */
export async function openEmbeddedBackend(): Promise<BullBackend> {
  const pool = new PglitePool(await openDatabase());
  return bullBackend(createPostgresBackend, pool, () => pool.end());
}
