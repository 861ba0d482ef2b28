import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { gunzip, gzip } from 'node:zlib';
import { PGlite, type PGliteOptions } from '@electric-sql/pglite';
import { DEFAULT_SCHEMA, runMigrations } from 'bullmq';
import { z } from 'zod';
import { systemCode } from '../runtime/errors.ts';
import { packageRoot } from '../runtime/package-root.ts';
import { PglitePool } from './pglite-pool.ts';

/** The database of the embedded queue: Postgres compiled to WebAssembly, in this process's memory. */

/** One session on one thread, nothing to survive: the server's memory and its crash recovery are cut down. */
const POSTGRES_CONF = ['shared_buffers=8MB', 'max_connections=5', 'wal_level=minimal', 'max_wal_senders=0'];

/**
 * V8 would spend a second of computing on optimising Postgres, most of it at the start of a run, where the model needs
 * the cores; the code as it is compiled at first does more than a hundred shards a second. The budget is
 * WebAssembly's alone, and nothing else in the process that has to be fast is WebAssembly.
 */
const NO_OPTIMISING = '--wasm-tiering-budget=2000000000';

/** Postgres' types whose values JavaScript numbers cannot hold; node-postgres, too, gives them as text. */
const AS_TEXT = { 20: (value: string) => value, 1700: (value: string) => value };

/**
 * Where a build puts the snapshot: named by PGlite's version, which fixes the file format. What a newer BullMQ needs
 * beyond it is migrated when it is opened.
 */
export function snapshotPath(): string {
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  const manifest: unknown = JSON.parse(readFileSync(join(dirname(entry), '..', 'package.json'), 'utf8'));
  const { version } = z.object({ version: z.string() }).parse(manifest);
  return fileURLToPath(new URL(`dist/embedded-queue.pglite-${version}.tar.gz`, packageRoot));
}

/**
 * Opens a database with BullMQ's schema. From a snapshot that takes about a fifth of the time, and less than half of
 * the memory, of creating one; without a file at `path` it is created.
 */
export async function openDatabase(path = snapshotPath()): Promise<PGlite> {
  const snapshot = await readSnapshot(path);
  return snapshot === undefined ? createDatabase() : migrate(await start({ loadDataDir: snapshot }));
}

/** Makes the snapshot at `path`: atomically, since another process may be reading or writing it. */
export async function writeSnapshot(path = snapshotPath()): Promise<void> {
  const database = await createDatabase();
  // The templates that new databases are copied from are two thirds of the files.
  await database.exec('UPDATE pg_database SET datistemplate = false WHERE datname <> current_database()');
  for (const statement of ['DROP DATABASE template0', 'DROP DATABASE template1', 'CHECKPOINT']) {
    await database.exec(statement);
  }
  const files = await database.dumpDataDir('none');
  await database.close();

  const temporary = `${path}.${randomUUID()}`;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(temporary, await promisify(gzip)(await files.arrayBuffer(), { level: 9 }));
  await rename(temporary, path);
}

async function readSnapshot(path: string): Promise<Blob | undefined> {
  try {
    return new Blob([await promisify(gunzip)(await readFile(path))]);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** `initdb`: some two seconds of computing, against half of one from a snapshot. */
const createDatabase = async (): Promise<PGlite> =>
  migrate(await start({ initDbStartParams: ['--wal-segsize=1'], postgresqlconf: POSTGRES_CONF }));

function start(options: PGliteOptions): Promise<PGlite> {
  setFlagsFromString(NO_OPTIMISING);
  return PGlite.create({ dataDir: 'memory://', parsers: AS_TEXT, ...options });
}

async function migrate(database: PGlite): Promise<PGlite> {
  await runMigrations(new PglitePool(database));
  await database.exec(`SET search_path TO ${DEFAULT_SCHEMA}, public`);
  return database;
}
