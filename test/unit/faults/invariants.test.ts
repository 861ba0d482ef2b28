/** The judge of the fault ring: an output that is right, and what it says of one that is not. */
import { beforeEach, describe, expect, it } from 'vitest';
import { openMemoryStorage } from '../../../src/storage/memory.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import {
  checkInvariants,
  checkSuccess,
  digestsOf,
  type Expected,
  failuresOf,
  sha256Of,
} from '../../faults/invariants.ts';
import { unconditionalWrites } from '../../faults/proxy.ts';

const KEYS = ['a.jpg', 'b.jpg', 'c.jpg'];

let output: Storage;
let expected: Expected;

const bytes = (text: string): Uint8Array => Buffer.from(text);
const json = (value: unknown): Uint8Array => bytes(JSON.stringify(value));
const lines = (values: readonly unknown[]): Uint8Array =>
  bytes(values.map((value) => `${JSON.stringify(value)}\n`).join(''));

async function commit(shard: number, generation: number, records: readonly object[]): Promise<void> {
  const content = lines(records);
  const key = `records/${String(shard).padStart(9, '0')}.${sha256Of(content).slice(0, 16)}.jsonl`;
  await output.put(key, content);
  const document = { shard, images: records.length, records: { key, sha256: sha256Of(content) } };
  await output.put(`commits/${String(shard).padStart(9, '0')}.${generation}.json`, json(document));
}

/** Three images in two shards; b.jpg is broken. */
beforeEach(async () => {
  output = openMemoryStorage();
  const images = KEYS.map((key, index) => ({ id: index + 1, key }));
  const parts = [images.slice(0, 2), images.slice(2)].map((part) => ({
    part,
    digest: sha256Of(lines(part)),
  }));
  for (const [shard, { part, digest }] of parts.entries())
    await output.put(`plan/00000000${shard}.${digest.slice(0, 16)}.jsonl`, lines(part));
  const plan = { images: 3, parts: parts.map(({ part, digest }) => ({ digest, images: part.length })) };
  await output.put('plan.json', json(plan));
  await commit(0, 0, [
    { image_id: 1, key: 'a.jpg' },
    { image_id: 2, key: 'b.jpg', failure: { class: 'empty' } },
  ]);
  await commit(1, 0, [{ image_id: 3, key: 'c.jpg' }]);
  await output.put('annotations.json', json(dataset([1, 3], [1, 2])));
  for (const key of ['results/bbox.json', 'results/segm.json', 'failures.csv'])
    await output.put(key, bytes(key));
  await output.put('_SUCCESS', json({}));
  expected = { keys: KEYS, files: await digestsOf(output) };
});

const dataset = (images: readonly number[], annotations: readonly number[]): object => ({
  images: images.map((id) => ({ id, file_name: `${id}` })),
  annotations: annotations.map((id) => ({ id, image_id: 1 })),
});

const violations = async (): Promise<readonly string[]> =>
  (await checkInvariants(output, expected)).violations;

describe('the invariants', () => {
  it('hold for an output that is whole', async () => {
    expect(await checkInvariants(output, expected)).toEqual({ lost: [], violations: [] });
    expect(await checkSuccess(output)).toEqual([]);
    expect(await failuresOf(output)).toEqual(new Map([['b.jpg', 'empty']]));
  });

  it('judge the latest generation', async () => {
    await commit(1, 1, [{ image_id: 3, key: 'c.jpg', failure: { class: 'empty' } }]);
    await commit(1, 10, [{ image_id: 3, key: 'c.jpg' }]);
    expect(await violations()).toEqual([]);
    expect(await failuresOf(output)).toEqual(new Map([['b.jpg', 'empty']]));
  });

  it('name an image that has no record', async () => {
    await commit(0, 1, [{ image_id: 1, key: 'a.jpg' }]);
    const findings = await checkInvariants(output, expected);
    expect(findings.lost).toEqual(['b.jpg']);
    expect(findings.violations).toContain('1 images have no record: b.jpg');
  });

  it('name an image that has two', async () => {
    await commit(1, 1, [
      { image_id: 3, key: 'c.jpg' },
      { image_id: 3, key: 'c.jpg' },
    ]);
    expect(await violations()).toEqual(
      expect.arrayContaining(['1 images have more than one record', 'image ids are not unique']),
    );
  });

  it('name an image that nobody gave', async () => {
    await commit(1, 1, [{ image_id: 4, key: 'd.jpg' }]);
    expect(await violations()).toContain('there are records of images that nobody gave');
  });

  it('name a commit that the plan has no shard for', async () => {
    await commit(2, 0, []);
    expect(await violations()).toContain('the plan has 2 shards, and commits are of 3');
  });

  it('name records that are not what their commit says', async () => {
    for await (const { key } of output.list('records/000000001'))
      await output.put(key, lines([{ image_id: 3, key: 'c.jpg', x: 1 }]));
    expect(await violations()).toHaveLength(1);
    expect((await violations())[0]).toMatch(/is not what commits\/000000001\.0\.json says$/);
  });

  it('name ids that are there twice, and annotations of no image', async () => {
    await output.put('annotations.json', json(dataset([3, 3], [1, 1])));
    expect(await violations()).toEqual([
      'image ids of annotations.json are not unique',
      'annotation ids are not unique',
      'there are annotations of images that are not there',
      "annotations.json differs from the undisturbed run's",
    ]);
  });

  it('name a file that differs by a byte, or is missing', async () => {
    await output.put('failures.csv', bytes('failures.csv '));
    expect(await violations()).toEqual(["failures.csv differs from the undisturbed run's"]);
  });
});

describe('_SUCCESS', () => {
  it('must not be missing', async () => {
    const incomplete = openMemoryStorage();
    for await (const { key } of output.list(''))
      if (key !== '_SUCCESS') await incomplete.put(key, await output.get(key));
    output = incomplete;
    expect(await violations()).toEqual(['there is no _SUCCESS']);
  });

  it('must not come before the files, nor before the commits', async () => {
    const early = openMemoryStorage();
    for (const key of ['plan.json', 'annotations.json', 'results/bbox.json', 'results/segm.json', '_SUCCESS'])
      await early.put(key, await output.get(key));
    expect(await checkSuccess(early)).toEqual([
      '_SUCCESS with 0 of 2 shards committed',
      '_SUCCESS without failures.csv',
    ]);
  });
});

it('a commit that could replace another one is found', () => {
  const put = (url: string, headers: Record<string, string> = {}) => ({ method: 'PUT', url, headers });
  expect(
    unconditionalWrites([
      put('/b/out/commits/000000001.0.json?x-id=PutObject', { 'if-none-match': '*' }),
      put('/b/out/commits/000000002.0.json?x-id=PutObject'),
      put('/b/out/records/000000002.0123.jsonl'),
      put('/b/out/control.json'),
      put('/b/out/plan.json'),
    ]),
  ).toEqual([
    '/b/out/commits/000000002.0.json?x-id=PutObject was written without If-None-Match',
    '/b/out/plan.json was written without If-None-Match',
  ]);
});
