import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { planDocument, type SuccessDocument } from '../../../src/run/documents.ts';
import { PLAN_KEY, SUCCESS_KEY } from '../../../src/run/layout.ts';
import {
  readJson,
  readJsonLines,
  readPlan,
  readSuccess,
  toJsonBytes,
  toJsonLines,
} from '../../../src/run/read-write.ts';
import { MillraceError } from '../../../src/runtime/errors.ts';
import { openMemoryStorage } from '../../../src/storage/memory.ts';
import type { Storage } from '../../../src/storage/storage.ts';

const thing = z.strictObject({ name: z.string(), at: z.strictObject({ x: z.int() }).optional() });

async function storageWith(key: string, body: Uint8Array | string): Promise<Storage> {
  const storage = openMemoryStorage();
  await storage.put(key, Buffer.from(body));
  return storage;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

describe('what is written', () => {
  it('is JSON for people, one line each for many', () => {
    expect(text(toJsonBytes({ a: [1, 'ü'] }))).toBe('{\n  "a": [\n    1,\n    "ü"\n  ]\n}\n');
    expect(text(toJsonLines([{ a: 1 }, { b: 'x\ny' }]))).toBe('{"a":1}\n{"b":"x\\ny"}\n');
    expect(text(toJsonLines([]))).toBe('');
  });
});

describe('readJson', () => {
  it('reads back what was written', async () => {
    const value = { name: 'ü', at: { x: 1 } };
    expect(await readJson(await storageWith('a.json', toJsonBytes(value)), 'a.json', thing)).toEqual(value);
  });

  it('finds none where there is none', async () => {
    expect(await readJson(openMemoryStorage(), 'a.json', thing)).toBeUndefined();
  });

  it('takes trouble for trouble, not for none', async () => {
    const error = new MillraceError('ACCESS_DENIED', 'no');
    const storage: Storage = { ...openMemoryStorage(), get: () => Promise.reject(error) };
    await expect(readJson(storage, 'a.json', thing)).rejects.toBe(error);
  });

  it.each([
    ['half a document', '{"name": "a', /^memory:\/\/a\.json is damaged \(/],
    ['nothing', '', /^memory:\/\/a\.json is damaged \(/],
    ['what is no UTF-8', Uint8Array.of(0x22, 0xff, 0x22), /^memory:\/\/a\.json is damaged \(/],
    ['a wrong type', '{"name": 1}', /a\.json is damaged \(name: /],
    ['a wrong type deep inside', '{"name": "a", "at": {"x": 0.5}}', /a\.json is damaged \(at\.x: /],
    ['an unknown member', '{"name": "a", "colour": 1}', /colour/],
  ])('refuses %s', async (_, body, message) => {
    await expect(readJson(await storageWith('a.json', body), 'a.json', thing)).rejects.toMatchObject({
      code: 'RUN_CORRUPT',
      message: expect.stringMatching(message),
    });
  });
});

describe('readJsonLines', () => {
  const read = async (body: Uint8Array, digest = sha256(body)) =>
    readJsonLines(await storageWith('a.jsonl', body), 'a.jsonl', digest, thing);

  it('reads back what was written, whatever is in the strings', async () => {
    const values = [{ name: 'a\nb' }, { name: 'c\u2028d' }, { name: 'e\r' }, { name: '' }];
    expect(await read(toJsonLines(values))).toEqual(values);
    expect(await read(toJsonLines([]))).toEqual([]);
  });

  it('refuses other bytes than those of the digest, also where they can be read', async () => {
    const written = toJsonLines([{ name: 'a' }]);
    const altered = toJsonLines([{ name: 'b' }]);
    await expect(read(altered, sha256(written))).rejects.toMatchObject({
      code: 'RUN_CORRUPT',
      message: expect.stringContaining(
        `memory://a.jsonl is damaged (its SHA-256 is ${sha256(altered)}, expected ${sha256(written)})`,
      ),
    });
  });

  it('names the line that is wrong', async () => {
    await expect(read(toJsonLines([{ name: 'a' }, { name: 2 }]))).rejects.toMatchObject({
      code: 'RUN_CORRUPT',
      message: expect.stringContaining('memory://a.jsonl line 2 is damaged (name: '),
    });
  });

  it('says so where an object that should be there is not', async () => {
    await expect(
      readJsonLines(openMemoryStorage(), 'a.jsonl', sha256(Buffer.of()), thing),
    ).rejects.toMatchObject({ code: 'OBJECT_NOT_FOUND' });
  });
});

describe('readPlan and readSuccess', () => {
  it('find none in a run that has none', async () => {
    expect(await readPlan(openMemoryStorage())).toBeUndefined();
    expect(await readSuccess(openMemoryStorage())).toBeUndefined();
  });

  it('read the documents at their keys', async () => {
    const plan = planDocument.parse({
      schema: 1,
      images: 1,
      shardSize: 1,
      parts: [{ digest: 'a'.repeat(64), images: 1 }],
    });
    const success: SuccessDocument = {
      generation: 0,
      images: 1,
      labelled: 0,
      failed: 1,
      failures: { empty: 1 },
      annotations: 0,
      networkPixels: { total: 0, padding: 0 },
    };
    expect(await readPlan(await storageWith(PLAN_KEY, toJsonBytes(plan)))).toEqual(plan);
    expect(await readSuccess(await storageWith(SUCCESS_KEY, toJsonBytes(success)))).toEqual(success);
  });
});
