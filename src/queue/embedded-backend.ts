import { createPostgresBackend } from 'bullmq';
import { boundFactory, type BullBackend } from './backend.ts';
import { openDatabase } from './embedded-database.ts';
import { PglitePool } from './pglite-pool.ts';
import { postgresJobs } from './postgres-jobs.ts';

/** BullMQ's Postgres backend on a database in this process's memory: no server, and the very same code. */
export async function openEmbeddedBackend(): Promise<BullBackend> {
  const pool = new PglitePool(await openDatabase());
  return {
    kind: 'embedded',
    factory: boundFactory(createPostgresBackend, pool),
    // Some 1 ms a shard, during which nothing else in the process runs.
    groupSize: 100,
    ...postgresJobs(pool),
    reachable: true,
    close: () => pool.end(),
  };
}
