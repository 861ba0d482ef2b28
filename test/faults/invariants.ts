/** What must hold after every fault, read with nothing but JSON: none of the code under test judges itself. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Storage } from '../../src/storage/storage.ts';

export const FINAL_FILES = [
  'annotations.json',
  'results/bbox.json',
  'results/segm.json',
  'failures.csv',
] as const;

/** The files of an undisturbed run, as name -> SHA-256. */
export type FinalFiles = Readonly<Record<string, string>>;

export interface Expected {
  /** Every key of the source. */
  readonly keys: readonly string[];
  readonly files: FinalFiles;
}

export interface Findings {
  /** Input keys without a record. */
  readonly lost: readonly string[];
  /** What does not hold, in words; empty when all does. */
  readonly violations: readonly string[];
}

const planDocument = z.looseObject({
  images: z.int(),
  parts: z.array(z.looseObject({ digest: z.string(), images: z.int() })),
});
const commitDocument = z.looseObject({
  shard: z.int(),
  images: z.int(),
  records: z.looseObject({ key: z.string(), sha256: z.string() }),
});
const record = z.looseObject({
  image_id: z.int(),
  key: z.string(),
  failure: z.looseObject({ class: z.string() }).optional(),
});
const planned = z.looseObject({ id: z.int(), key: z.string() });
type Planned = z.infer<typeof planned>;
const dataset = z.looseObject({
  images: z.array(z.looseObject({ id: z.int(), file_name: z.string() })),
  annotations: z.array(z.looseObject({ id: z.int(), image_id: z.int() })),
});

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Of the final files; "missing" for one that is not there. */
export async function digestsOf(output: Storage): Promise<FinalFiles> {
  const digests = FINAL_FILES.map(
    async (key) => [key, (await exists(output, key)) ? sha256Of(await output.get(key)) : 'missing'] as const,
  );
  return Object.fromEntries(await Promise.all(digests));
}

/** Looks at the output of a run that has ended. */
export async function checkInvariants(output: Storage, expected: Expected): Promise<Findings> {
  const violations: string[] = [];
  const demand = (holds: boolean, what: string): void => void (holds || violations.push(what));

  demand(await exists(output, '_SUCCESS'), 'there is no _SUCCESS');
  const plan = parse(planDocument, await output.get('plan.json'));
  const commits = await latestCommits(output);
  const shards = plan.parts.map((_, shard) => shard);
  demand(
    sameMembers([...commits.keys()], shards),
    `the plan has ${shards.length} shards, and commits are of ${commits.size}`,
  );

  const recorded: string[] = [];
  const imageIds: number[] = [];
  for (const [shard, key] of commits) {
    const commit = parse(commitDocument, await output.get(key));
    demand(commit.shard === shard, `${key} says it is of shard ${commit.shard}`);
    const bytes = await output.get(commit.records.key);
    demand(sha256Of(bytes) === commit.records.sha256, `${commit.records.key} is not what ${key} says`);
    const records = parseLines(record, bytes);
    demand(records.length === commit.images, `${key} counts ${commit.images} images of ${records.length}`);
    const part = await readPart(output, shard, plan.parts[shard]?.digest);
    demand(
      JSON.stringify(part.map(({ id, key }) => [id, key])) ===
        JSON.stringify(records.map(({ image_id, key }) => [image_id, key])),
      `the records of shard ${shard} are not of the images that were planned`,
    );
    recorded.push(...records.map(({ key }) => key));
    imageIds.push(...records.map(({ image_id }) => image_id));
  }
  const known = new Set(recorded);
  const lost = expected.keys.filter((key) => !known.has(key));
  demand(lost.length === 0, `${lost.length} images have no record: ${lost.slice(0, 3).join(', ')}`);
  demand(known.size === recorded.length, `${recorded.length - known.size} images have more than one record`);
  demand(known.size + lost.length === expected.keys.length, 'there are records of images that nobody gave');
  demand(new Set(imageIds).size === imageIds.length, 'image ids are not unique');

  if (await exists(output, 'annotations.json')) {
    const { images, annotations } = parse(dataset, await output.get('annotations.json'));
    const ids = new Set(images.map(({ id }) => id));
    demand(ids.size === images.length, 'image ids of annotations.json are not unique');
    demand(
      new Set(annotations.map(({ id }) => id)).size === annotations.length,
      'annotation ids are not unique',
    );
    demand(
      annotations.every(({ image_id }) => ids.has(image_id)),
      'there are annotations of images that are not there',
    );
  }
  const files = await digestsOf(output);
  for (const name of FINAL_FILES)
    demand(files[name] === expected.files[name], `${name} differs from the undisturbed run's`);
  return { lost, violations };
}

/** The failed images of a run that has ended, with their failure class. */
export async function failuresOf(output: Storage): Promise<ReadonlyMap<string, string>> {
  const failures = new Map<string, string>();
  for (const key of (await latestCommits(output)).values()) {
    const { records } = parse(commitDocument, await output.get(key));
    for (const { key, failure } of parseLines(record, await output.get(records.key)))
      if (failure) failures.set(key, failure.class);
  }
  return failures;
}

/** A violation if `_SUCCESS` is there while anything that it promises is not. */
export async function checkSuccess(output: Storage): Promise<readonly string[]> {
  // `_SUCCESS` is looked for first: what it promises was there before.
  if (!(await exists(output, '_SUCCESS'))) return [];
  const { parts } = parse(planDocument, await output.get('plan.json'));
  const commits = await latestCommits(output);
  const missing = Object.entries(await digestsOf(output)).filter(([, digest]) => digest === 'missing');
  return [
    ...(commits.size === parts.length
      ? []
      : [`_SUCCESS with ${commits.size} of ${parts.length} shards committed`]),
    ...missing.map(([name]) => `_SUCCESS without ${name}`),
  ];
}

export const exists = async (output: Storage, key: string): Promise<boolean> =>
  (await output.stat(key)) !== undefined;

async function readPart(output: Storage, shard: number, digest: string | undefined): Promise<Planned[]> {
  if (digest === undefined) return [];
  const key = `plan/${String(shard).padStart(9, '0')}.${digest.slice(0, 16)}.jsonl`;
  return parseLines(planned, await output.get(key));
}

/** The key of each shard's commit of the highest generation. */
async function latestCommits(output: Storage): Promise<ReadonlyMap<number, string>> {
  const latest = new Map<number, { generation: number; key: string }>();
  for await (const { key } of output.list('commits/')) {
    const [, shard, generation] = /^commits\/(\d{9})\.(\d+)\.json$/.exec(key) ?? [];
    const before = latest.get(Number(shard))?.generation ?? -1;
    if (Number(generation) > before) latest.set(Number(shard), { generation: Number(generation), key });
  }
  return new Map([...latest].map(([shard, { key }]) => [shard, key]));
}

const parse = <T>(schema: z.ZodType<T>, bytes: Uint8Array): T =>
  schema.parse(JSON.parse(Buffer.from(bytes).toString()));

const parseLines = <T>(schema: z.ZodType<T>, bytes: Uint8Array): T[] =>
  Buffer.from(bytes)
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => schema.parse(JSON.parse(line)));

const sameMembers = (some: readonly number[], others: readonly number[]): boolean =>
  some.length === others.length && new Set([...some, ...others]).size === others.length;
