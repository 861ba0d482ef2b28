import type { z } from 'zod';
import { isMillraceError, MillraceError, toError } from '../runtime/errors.ts';
import { sha256Hex } from '../runtime/sha256.ts';
import type { Storage } from '../storage/storage.ts';
import {
  type CommitDocument,
  commitDocument,
  type PlanDocument,
  planDocument,
  type SuccessDocument,
  successDocument,
} from './documents.ts';
import { commitKey, PLAN_KEY, SUCCESS_KEY } from './layout.ts';

const decoder = new TextDecoder('utf-8', { fatal: true });

export const toJsonBytes = (value: unknown): Uint8Array => Buffer.from(`${JSON.stringify(value, null, 2)}\n`);

export const toJsonLines = (values: readonly unknown[]): Uint8Array =>
  Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));

/**
 * A JSON document of a run, or undefined where there is none.
 *
 * @throws MillraceError RUN_CORRUPT, naming the object and the path within it.
 */
export async function readJson<Schema extends z.ZodType>(
  storage: Storage,
  key: string,
  schema: Schema,
): Promise<z.infer<Schema> | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await storage.get(key);
  } catch (error) {
    if (isMillraceError(error, 'OBJECT_NOT_FOUND')) return undefined;
    throw error;
  }
  return parseJson(bytes, `${storage.uri}${key}`, schema);
}

/**
 * The lines of a content-addressed JSON Lines object, checked against its SHA-256.
 *
 * @throws MillraceError RUN_CORRUPT.
 */
export async function readJsonLines<Schema extends z.ZodType>(
  storage: Storage,
  key: string,
  sha256: string,
  schema: Schema,
): Promise<z.infer<Schema>[]> {
  const bytes = await storage.get(key);
  const where = `${storage.uri}${key}`;
  const found = sha256Hex(bytes);
  if (found !== sha256) throw corrupt(where, `its SHA-256 is ${found}, expected ${sha256}`);
  const lines = decoder.decode(bytes).split('\n').slice(0, -1);
  return lines.map((line, index) => parseJson(Buffer.from(line), `${where} line ${index + 1}`, schema));
}

function parseJson<Schema extends z.ZodType>(
  bytes: Uint8Array,
  where: string,
  schema: Schema,
): z.infer<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(bytes));
  } catch (error) {
    throw corrupt(where, toError(error).message, error);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw corrupt(where, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`, parsed.error);
}

function corrupt(where: string, problem: string, cause?: unknown): MillraceError {
  return new MillraceError(
    'RUN_CORRUPT',
    `${where} is damaged (${problem}), or another version of Millrace wrote it. Choose another output, or remove this one.`,
    { cause },
  );
}

/** The plan of a run, or undefined while it has none. */
export function readPlan(output: Storage): Promise<PlanDocument | undefined> {
  return readJson(output, PLAN_KEY, planDocument);
}

/** The commit of a shard, or undefined where it has none of this generation. */
export function readCommit(
  output: Storage,
  shard: number,
  generation: number,
): Promise<CommitDocument | undefined> {
  return readJson(output, commitKey(shard, generation), commitDocument);
}

/** The counts of a complete run, or undefined while it is none. */
export function readSuccess(output: Storage): Promise<SuccessDocument | undefined> {
  return readJson(output, SUCCESS_KEY, successDocument);
}
