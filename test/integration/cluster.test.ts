import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalCluster, launchCluster } from '../../demo/launch-cluster.ts';
import { uploadFolder } from '../../demo/upload.ts';
import { readRun } from '../../src/flow/follow.ts';
import { openStorage } from '../../src/storage/open.ts';
import { type CliResult, demoImages, fixtureModel, millrace, temporaryFolder } from './helpers/cli.ts';

const MODEL = fixtureModel('tiny-mask-rcnn');
const FINAL_FILES = ['annotations.json', 'results/bbox.json', 'results/segm.json'];
const START_MS = 900_000;

let cluster: LocalCluster;
let source = '';
/** The same many times, so that there is time to do something to the run. */
let many = '';
const COPIES = 6;

const cli = (...argv: string[]): Promise<CliResult> =>
  millrace(argv, { environment: { ...cluster.environment } });

const enqueueFrom = (from: string, output: string, ...flags: string[]): Promise<CliResult> =>
  cli('enqueue', from, '--model', MODEL, '--output', output, '--shard-size', '2', ...flags);

const enqueue = (output: string, ...flags: string[]) => enqueueFrom(source, output, ...flags);

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function digestsOf(output: string): Promise<Record<string, string>> {
  const storage = await openStorage(output);
  const digests = FINAL_FILES.map(async (key) => [key, sha256(await storage.get(key))] as const);
  return Object.fromEntries(await Promise.all(digests));
}

/** Polls until the run is as wanted; the test's own time limit ends it. */
async function until(output: string, wanted: (status: Awaited<ReturnType<typeof readRun>>) => boolean) {
  for (;;) {
    const status = await readRun(output);
    if (wanted(status)) return status;
    await setTimeout(100);
  }
}

beforeAll(async () => {
  cluster = await launchCluster({
    models: [MODEL],
    workers: 2,
    board: false,
    environment: { MILLRACE_RECONCILE_SECONDS: '1', MILLRACE_THREADS: '1' },
  });
  // The storage in this process, and nothing else of the cluster: `millrace run` inherits it.
  const forS3 = Object.entries(cluster.environment).filter(([name]) => name.startsWith('AWS_'));
  Object.assign(process.env, Object.fromEntries(forS3));
  source = `${cluster.bucketUri}photos/`;
  await uploadFolder(demoImages, source);
  many = `${cluster.bucketUri}many/`;
  for (let copy = 0; copy < COPIES; copy++) await uploadFolder(demoImages, `${many}${copy}/`);
}, START_MS);

afterAll(() => cluster?.stop());

describe('a cluster', () => {
  it('labels a prefix as one process labels the folder', async () => {
    const [local, output] = [temporaryFolder(), `${cluster.bucketUri}plain/`];
    const alone = ['run', demoImages, '--model', MODEL, '--output', local, '--shard-size', '2'];
    expect(await millrace(alone)).toMatchObject({ exitCode: 0 });
    const result = await enqueue(output, '--wait', '--json');
    expect(result.exitCode, result.stderr).toBe(0);
    expect(JSON.parse(result.stdout)).toMatchObject({
      state: 'complete',
      images: 33,
      tally: { labelled: 30, failed: 3 },
      output,
    });
    expect(await digestsOf(output)).toEqual(
      Object.fromEntries(FINAL_FILES.map((key) => [key, sha256(readFileSync(path.join(local, key)))])),
    );
    const failures = Buffer.from(await (await openStorage(output)).get('failures.csv')).toString();
    expect(failures).toContain('millrace/photos/broken/empty.jpg,empty,');
  });

  it('does nothing for a run that is complete, and refuses another one on its output', async () => {
    const output = `${cluster.bucketUri}plain/`;
    expect((await enqueue(output)).stdout).toMatch(/^Nothing to do/);
    const other = await enqueue(output, '--score-threshold', '0.5');
    expect(other.exitCode).toBe(2);
    expect(other.stderr).toMatch(/holds another run:\n.*--score-threshold: 0\.05 there, 0\.5 now/);
  });

  it('cancels a run, says so to all, and resumes it to the same files', async () => {
    const [undisturbed, output] = [`${cluster.bucketUri}many-plain/`, `${cluster.bucketUri}cancelled/`];
    expect(await enqueueFrom(many, undisturbed, '--wait')).toMatchObject({ exitCode: 0 });
    expect(await enqueueFrom(many, output)).toMatchObject({ exitCode: 0 });
    await until(output, ({ committedShards }) => committedShards > 0);
    expect(await cli('cancel', output, '--reason', 'a test')).toMatchObject({ exitCode: 0 });
    expect((await cli('status', output)).stdout).toMatch(/cancelled \(a test\)/);
    expect(await cli('watch', output)).toMatchObject({ exitCode: 1 });
    const resumed = await cli('resume', output, '--wait');
    expect(resumed.exitCode, resumed.stderr).toBe(0);
    expect(await digestsOf(output)).toEqual(await digestsOf(undisturbed));
  });

  it('tries failed images again, and only them', async () => {
    const photos = `${cluster.bucketUri}mended/`;
    const output = `${cluster.bucketUri}mended-labels/`;
    const storage = await openStorage(photos);
    const good = readFileSync(path.join(demoImages, 'desk/two-cards.jpg'));
    for (const name of ['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg']) await storage.put(name, good);
    await storage.put('e.jpg', new Uint8Array());
    const first = await cli(
      'enqueue',
      photos,
      '--model',
      MODEL,
      '--output',
      output,
      '--shard-size',
      '2',
      '--wait',
    );
    expect(first.exitCode, first.stderr).toBe(0);
    expect(await readRun(output)).toMatchObject({ state: 'complete', tally: { labelled: 4, failed: 1 } });
    // The empty file was planned as it is: another content would be "changed", so it stays a failure, of generation 1.
    const again = await cli('resume', output, '--failed', '--wait');
    expect(again.exitCode, again.stderr).toBe(0);
    const commits = [];
    for await (const { key } of (await openStorage(output)).list('commits/')) commits.push(key);
    expect(commits).toEqual([
      'commits/000000000.0.json',
      'commits/000000001.0.json',
      'commits/000000002.0.json',
      'commits/000000002.1.json',
    ]);
    expect((await readRun(output)).success).toMatchObject({ generation: 1, images: 5, failed: 1 });
  });

  it('stops a run that fails too often with exit code 3', async () => {
    const output = `${cluster.bucketUri}over-budget/`;
    const result = await enqueue(output, '--max-failures', '1', '--wait');
    expect(result.exitCode, result.stderr).toBe(3);
    expect(result.stderr).toMatch(/images failed; the budget is 1 images/);
  });

  it('keeps out of places that it was not started with', async () => {
    const outside = temporaryFolder();
    // A producer may do more than the workers.
    const result = await millrace(['enqueue', demoImages, '--model', MODEL, '--output', `${outside}/out`], {
      environment: { ...cluster.environment, MILLRACE_ALLOWED_URIS: '' },
    });
    expect(result.exitCode, result.stderr).toBe(0);
    await setTimeout(3_000);
    expect(await readRun(`${outside}/out`)).toMatchObject({ state: 'planning' });
  });
});

it('a worker that is told to stop ends with 0, and another one goes on', async () => {
  const output = `${cluster.bucketUri}drained/`;
  expect(await enqueueFrom(many, output)).toMatchObject({ exitCode: 0 });
  await until(output, ({ committedShards }) => committedShards > 0);
  const [first] = cluster.workers;
  first?.child.kill('SIGTERM');
  expect(await first?.ended).toBe(0);
  await until(output, ({ state }) => state === 'complete');
  expect(await digestsOf(output)).toEqual(await digestsOf(`${cluster.bucketUri}many-plain/`));
});
