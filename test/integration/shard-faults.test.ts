import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { commitDocument } from '../../src/run/documents.ts';
import { imageRecord, type ImageRecord, isFailed } from '../../src/run/record.ts';
import { fixtureModel, fixtureScenes, temporaryFolder, untilClosed } from './helpers/cli.ts';

const PROCESS = fileURLToPath(new URL('helpers/shard-process.mjs', import.meta.url));

/** Of 240 x 180 pixels, as the magenta one: it shares their batches. */
const SCENES = ['cards-1.png', 'cards-2.png', 'empty.png'];
const IMAGES = 20;
const MAGENTA = 'image-11.png';

const report = z.object({
  commit: commitDocument.optional(),
  error: z.object({ code: z.string(), message: z.string(), retry: z.string() }).optional(),
  batches: z.array(z.int()),
  halvings: z.int(),
  sessions: z.int(),
  outcomes: z.array(z.string()),
  stages: z.array(z.string()).transform((names) => new Set(names)),
});

interface Worker {
  readonly signal: NodeJS.Signals | null;
  readonly report: z.infer<typeof report> | undefined;
  readonly stderr: string;
}

type Poison = 'none' | 'kill' | 'abort' | 'throw' | 'lose' | 'hang' | 'break' | 'memory';

interface Task {
  readonly source?: string;
  readonly output: string;
  readonly poison: Poison;
  readonly generation?: number;
  /** False for a worker whose notes do not survive it. */
  readonly noted?: boolean;
}

let images: string;

/** One worker, in a process of its own. */
async function work({
  source = images,
  output,
  poison,
  generation = 0,
  noted = true,
}: Task): Promise<Worker> {
  const task = {
    source,
    model: fixtureModel('tiny-mask-rcnn'),
    output,
    poison,
    generation,
    ...(noted ? { notes: notesOf(output) } : {}),
  };
  const child = spawn(process.execPath, [PROCESS, JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { exitCode, signal, stdout, stderr } = await untilClosed(child);
  if (exitCode !== 0 && signal === null) throw new Error(stderr);
  return { signal, stderr, report: stdout === '' ? undefined : report.parse(JSON.parse(stdout)) };
}

const notesOf = (output: string): string => path.join(output, '.millrace-notes');

function readRecords(output: string, { commit }: z.infer<typeof report>): ImageRecord[] {
  const lines = readFileSync(path.join(output, commit!.records.key), 'utf8').trimEnd().split('\n');
  return lines.map((line) => imageRecord.parse(JSON.parse(line)));
}

const failures = (records: readonly ImageRecord[]): Record<string, string> =>
  Object.fromEntries(records.filter(isFailed).map(({ key, failure }) => [key, failure.class]));

const without = (records: readonly ImageRecord[], key: string): string =>
  JSON.stringify(records.filter((record) => record.key !== key));

let undisturbed: { readonly records: ImageRecord[]; readonly report: z.infer<typeof report> };

beforeAll(async () => {
  images = temporaryFolder();
  for (let n = 0; n < IMAGES; n++) {
    const name = `image-${String(n).padStart(2, '0')}.png`;
    copyFileSync(path.join(fixtureScenes, SCENES[n % SCENES.length]!), path.join(images, name));
  }
  await sharp({ create: { width: 240, height: 180, channels: 3, background: '#ff00ff' } })
    .png()
    .toFile(path.join(images, MAGENTA));
  const output = temporaryFolder();
  const { report: found, stderr } = await work({ output, poison: 'none' });
  expect(found?.error, stderr).toBeUndefined();
  undisturbed = { records: readRecords(output, found!), report: found! };
});

describe('an undisturbed shard', () => {
  it('runs in whole batches, tells its stages, and leaves no notes', () => {
    const { batches, stages, sessions, halvings, outcomes } = undisturbed.report;
    // Two blank batches probe the model, unobserved.
    expect(batches).toEqual([8, 8, 4]);
    expect(stages).toEqual(new Set(['fetch', 'decode', 'prepare', 'infer', 'interpret', 'commit']));
    expect({ sessions, halvings }).toEqual({ sessions: 1, halvings: 0 });
    expect(outcomes).toEqual(Array.from({ length: IMAGES }, () => 'labelled'));
    expect(
      undisturbed.records.flatMap((record) => ('detections' in record ? record.detections : [])).length,
    ).toBeGreaterThan(IMAGES);
  });
});

describe.each(['kill', 'abort'] as const)('an image that ends its process: %s', (poison) => {
  it('costs itself and three processes, and no other image a byte', async () => {
    const output = temporaryFolder();
    const signal = poison === 'kill' ? 'SIGKILL' : 'SIGABRT';
    // In its batch, then alone, then alone again.
    for (let crash = 1; crash <= 3; crash++) {
      expect((await work({ output, poison })).signal, `crash ${crash}`).toBe(signal);
      expect(readdirSync(notesOf(output))).toEqual(['0.0.json']);
    }
    const last = await work({ output, poison });
    expect(last.signal, last.stderr).toBeNull();
    const records = readRecords(output, last.report!);
    expect(failures(records)).toEqual({ [MAGENTA]: 'inference_crashed' });
    expect(without(records, MAGENTA)).toBe(without(undisturbed.records, MAGENTA));
    expect(existsSync(notesOf(output))).toBe(false);
    const { networkPixels } = undisturbed.report.commit!;
    expect(last.report?.commit).toMatchObject({
      failures: { inference_crashed: 1 },
      networkPixels: { total: (networkPixels.total / IMAGES) * (IMAGES - 1) },
    });
  });
});

describe('a process that is killed for no reason of its images', () => {
  it('leaves the same bytes, and no image is blamed', async () => {
    const output = temporaryFolder();
    expect((await work({ output, poison: 'kill' })).signal).toBe('SIGKILL');
    const next = await work({ output, poison: 'none' });
    expect(readRecords(output, next.report!)).toEqual(undisturbed.records);
    expect(next.report?.commit).toEqual(undisturbed.report.commit);
    expect(next.report?.batches).toContain(1);
    expect(existsSync(notesOf(output))).toBe(false);
  });
});

describe('a worker whose notes do not survive it', () => {
  it('dies of the same image again, in its batch', async () => {
    const output = temporaryFolder();
    for (let crash = 1; crash <= 4; crash++)
      expect((await work({ output, poison: 'kill', noted: false })).signal).toBe('SIGKILL');
  });
});

describe('an image that throws', () => {
  it('is found by bisecting its batch, and costs only itself', async () => {
    const output = temporaryFolder();
    const { report: found } = await work({ output, poison: 'throw' });
    const records = readRecords(output, found!);
    expect(failures(records)).toEqual({ [MAGENTA]: 'inference_failed' });
    expect(without(records, MAGENTA)).toBe(without(undisturbed.records, MAGENTA));
    expect(found?.batches.toSorted((a, b) => a - b)).toEqual([1, 2, 4, 4, 8]);
  });

  it('is not blamed where a blank image fails too', async () => {
    const output = temporaryFolder();
    const { report: found } = await work({ output, poison: 'break' });
    expect(found?.error).toMatchObject({ code: 'INFERENCE_FAILED', retry: 'backoff' });
    expect(existsSync(path.join(output, 'commits'))).toBe(false);
    expect(existsSync(notesOf(output))).toBe(false);
  });
});

describe('an image that loses the session', () => {
  it('costs the try the session only once; the next one blames it', async () => {
    const output = temporaryFolder();
    const first = await work({ output, poison: 'lose' });
    expect(first.report?.error).toMatchObject({ code: 'SESSION_LOST', retry: 'backoff' });
    const second = await work({ output, poison: 'lose' });
    const records = readRecords(output, second.report!);
    expect(failures(records)).toEqual({ [MAGENTA]: 'inference_crashed' });
    expect(without(records, MAGENTA)).toBe(without(undisturbed.records, MAGENTA));
    expect(second.report?.sessions).toBe(2);
  });
});

describe('an image whose inference hangs', () => {
  it('fails the try, and is blamed once it has hung twice alone', async () => {
    const output = temporaryFolder();
    for (let hang = 1; hang <= 2; hang++) {
      const { report: found } = await work({ output, poison: 'hang' });
      expect(found?.error).toMatchObject({ code: 'INFERENCE_TIMEOUT', retry: 'backoff' });
    }
    const { report: found } = await work({ output, poison: 'hang' });
    const records = readRecords(output, found!);
    expect(failures(records)).toEqual({ [MAGENTA]: 'inference_crashed' });
    expect(without(records, MAGENTA)).toBe(without(undisturbed.records, MAGENTA));
  });
});

describe('a session without memory for a batch', () => {
  it('gets halves, of all later batches too, and the records are the same', async () => {
    const output = temporaryFolder();
    const { report: found } = await work({ output, poison: 'memory' });
    expect(readRecords(output, found!)).toEqual(undisturbed.records);
    expect(found?.batches.every((size) => size <= 2)).toBe(true);
    expect(found?.halvings).toBeGreaterThanOrEqual(2);
    expect(found?.commit).toEqual(undisturbed.report.commit);
  });
});

describe('a later generation', () => {
  it('repeats what has failed, copies the rest, and commits the whole shard', async () => {
    const output = temporaryFolder();
    const before = (await work({ output, poison: 'throw' })).report!.commit!;
    const { report: found } = await work({ output, poison: 'none', generation: 2 });
    expect(found?.batches).toEqual([1]);
    expect(found?.outcomes).toEqual(['labelled']);
    expect(readRecords(output, found!)).toEqual(undisturbed.records);
    expect(found?.commit).toMatchObject({ generation: 2, images: IMAGES, labelled: IMAGES, failures: {} });
    expect(found?.commit?.records.key).toBe(undisturbed.report.commit?.records.key);
    expect(found?.commit?.networkPixels.total).toBe(before.networkPixels.total + 160 * 192);
  });

  it('does the whole shard where there is none before it', async () => {
    const output = temporaryFolder();
    const { report: found } = await work({ output, poison: 'none', generation: 1 });
    expect(found?.commit).toEqual({ ...undisturbed.report.commit, generation: 1 });
  });

  it('refuses records that are not those of the plan', async () => {
    const output = temporaryFolder();
    await work({ output, poison: 'throw' });
    const fewer = temporaryFolder();
    for (const name of readdirSync(images).slice(1))
      copyFileSync(path.join(images, name), path.join(fewer, name));
    const { report: found } = await work({ source: fewer, output, poison: 'none', generation: 1 });
    expect(found?.error).toMatchObject({ code: 'RUN_CORRUPT', retry: 'never' });
  });
});

describe('the pixels of the network', () => {
  it('are not those of an image that could not be decoded', async () => {
    const source = temporaryFolder();
    mkdirSync(source, { recursive: true });
    for (const name of readdirSync(images)) copyFileSync(path.join(images, name), path.join(source, name));
    const whole = readFileSync(path.join(images, MAGENTA));
    const damaged = Buffer.from(whole);
    damaged.fill(0, damaged.indexOf('IDAT') + 8, damaged.indexOf('IEND') - 8);
    writeFileSync(path.join(source, MAGENTA), damaged);
    const output = temporaryFolder();
    const { report: found } = await work({ source, output, poison: 'none' });
    expect(Object.keys(failures(readRecords(output, found!)))).toEqual([MAGENTA]);
    expect(found?.commit?.networkPixels.total).toBe(160 * 192 * (IMAGES - 1));
  });
});
