import { expect, it } from 'vitest';
import { runModels } from '../../../src/run/run-models.ts';
import { MillraceError } from '../../../src/runtime/errors.ts';
import { createLogger } from '../../../src/runtime/log.ts';

it('lists each model once, and reads no run twice', async () => {
  const runs = new Map([
    ['run-2', 'cards'],
    ['run-1', 'boats'],
    ['run-3', 'cards'],
  ]);
  const asked: string[] = [];
  const list = runModels({
    runIds: async function* () {
      yield* runs.keys();
    },
    modelOf: async (runId) => {
      asked.push(runId);
      return runs.get(runId) ?? '';
    },
    log: createLogger('silent'),
  });
  expect(await list()).toEqual(['boats', 'cards']);
  runs.set('run-4', 'trees');
  expect(await list()).toEqual(['boats', 'cards', 'trees']);
  expect(asked).toEqual(['run-2', 'run-1', 'run-3', 'run-4']);
});

it('asks again for a run that storage could not read, and never again for one that is broken', async () => {
  const failures: Record<string, MillraceError> = {
    away: new MillraceError('STORAGE_UNAVAILABLE', 'no answer'),
    broken: new MillraceError('RUN_CORRUPT', 'not valid'),
  };
  const asked: string[] = [];
  const list = runModels({
    runIds: async function* () {
      yield* Object.keys(failures);
    },
    modelOf: async (runId) => {
      asked.push(runId);
      throw failures[runId] ?? new Error(runId);
    },
    log: createLogger('silent'),
  });
  expect([await list(), await list()]).toEqual([[], []]);
  expect(asked).toEqual(['away', 'broken', 'away']);
});
