import { randomUUID } from 'node:crypto';
import { isMillraceError, MillraceError } from '../runtime/errors.ts';
import type { Storage } from './storage.ts';

/** Where the probe is kept: always the same, so that no probe adds to the last. */
export const PROBE_KEY = '.millrace-probe';

/**
 * Make sure that the storage refuses to create an object that is there already: exactly one commit per shard depends
 * on it, and some S3-compatible servers take the condition and ignore it. Leaves a small object, `.millrace-probe`.
 * @throws MillraceError `STORAGE_NOT_SUPPORTED`, and those of `Storage`
 */
export async function assertConditionalWrites(storage: Storage): Promise<void> {
  const create = async (): Promise<boolean> => {
    const body = Buffer.from(`${randomUUID()}\n`);
    try {
      return await storage.createIfAbsent(PROBE_KEY, body);
    } catch (error) {
      if (isMillraceError(error, 'STORAGE_NOT_SUPPORTED'))
        throw withoutConditionalWrites(storage, 'does not know');
      throw error;
    }
  };
  await create();
  if (await create()) throw withoutConditionalWrites(storage, 'ignores');
}

/** The error for a store that would let two workers commit the same shard. */
export const withoutConditionalWrites = (
  storage: Storage,
  verdict: 'ignores' | 'does not know',
): MillraceError =>
  new MillraceError(
    'STORAGE_NOT_SUPPORTED',
    `The store behind ${storage.uri} ${verdict} conditional writes (If-None-Match: *), so two workers could commit the same shard. Use a store or a version that has them: see docs/storage.md.`,
  );
