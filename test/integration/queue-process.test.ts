import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase, writeSnapshot } from '../../src/queue/embedded-database.ts';

const built = new URL('../../dist/src/', import.meta.url);

/** Runs a module in a process of its own, as built, and gives what it wrote; one that does not end by itself fails. */
async function runModule(body: string): Promise<{ stdout: string; stderr: string }> {
  const imports = `
    import { setTimeout } from 'node:timers/promises';
    import { openQueue } from '${new URL('queue/connection.js', built).href}';
    import { addRun, startRunWorker, waitForRun } from '${new URL('queue/runs.js', built).href}';
    import { startShardWorker } from '${new URL('queue/shards.js', built).href}';
    const steps = {
      plan: async () => ({ model: 'm' }),
      missingShards: async function* () { for (let shard = 0; shard < 5; shard++) yield { shard, generation: 0 }; },
      merge: async () => console.log('merged'),
    };
    const queue = await openQueue();
  `;
  const args = ['--input-type=module', '--eval', imports + body];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 });
  return { stdout, stderr };
}

describe('a process with an embedded queue ends by itself', () => {
  it('when the queue is closed at once', async () => {
    const body = `await queue.close(); console.log('closed');`;
    expect(await runModule(body)).toEqual({ stdout: 'closed\n', stderr: '' });
  });

  it('when a run has completed and the queue closes its workers', async () => {
    const body = `
      startShardWorker(queue, { model: 'm', concurrency: 2, process: async () => {} });
      startRunWorker(queue, steps);
      await addRun(queue, 'r');
      console.log((await waitForRun(queue, 'r', { pollMs: 20 })).state);
      await queue.close();
      console.log('closed');
    `;
    expect(await runModule(body)).toEqual({ stdout: 'merged\ncompleted\nclosed\n', stderr: '' });
  });

  it('when it is closed in the middle of jobs, which it lets end', async () => {
    const body = `
      const started = new Promise((resolve) => {
        startShardWorker(queue, {
          model: 'm',
          concurrency: 1,
          process: async () => { resolve(); await setTimeout(50); console.log('shard'); },
        });
      });
      startRunWorker(queue, steps);
      await addRun(queue, 'r');
      await started;
      await queue.close();
      console.log('closed');
    `;
    expect(await runModule(body)).toEqual({ stdout: 'shard\nclosed\n', stderr: '' });
  });

  it('when it is aborted in the middle of jobs, which stop', async () => {
    const body = `
      const stop = new AbortController();
      let worker;
      const started = new Promise((resolve) => {
        worker = startShardWorker(queue, {
          model: 'm',
          concurrency: 2,
          process: async (job, signal) => { resolve(); await setTimeout(3_600_000, undefined, { signal }); },
        });
      });
      startRunWorker(queue, steps, stop.signal);
      await addRun(queue, 'r');
      await started;
      stop.abort();
      worker.abort('Ctrl-C');
      await queue.close();
      console.log('closed');
    `;
    expect(await runModule(body)).toEqual({ stdout: 'closed\n', stderr: '' });
  });
});

describe('the snapshot of the database', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-queue-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('opens as what a new database is', async () => {
    const path = join(folder, 'below', 'snapshot.tar.gz');
    await writeSnapshot(path);
    const fromSnapshot = await openDatabase(path);
    const created = await openDatabase(join(folder, 'none'));
    const tables = `SELECT table_name FROM information_schema.tables WHERE table_schema = 'bullmq' ORDER BY 1`;
    const settings = `SELECT current_setting('search_path'), current_setting('shared_buffers')`;
    for (const query of [tables, settings, 'SELECT version FROM migration ORDER BY 1']) {
      const { rows } = await created.query(query);
      expect(rows.length).toBeGreaterThan(0);
      expect((await fromSnapshot.query(query)).rows).toEqual(rows);
    }
    await fromSnapshot.close();
    await created.close();
  });
});
