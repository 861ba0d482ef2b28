import { describe, expect, it } from 'vitest';
import { createLogger } from '../../../src/runtime/log.ts';
import { jobNotes, NO_NOTES, type ShardNotes } from '../../../src/shard/shard-notes.ts';
import { Suspects } from '../../../src/shard/suspects.ts';

const LOG = createLogger('silent');

/** What survives a crash. */
function survivor(): { notes: ShardNotes; value: () => unknown } {
  let value: unknown;
  const write = async (note: object): Promise<void> => {
    value = structuredClone(note);
  };
  return { notes: jobNotes({ read: () => value, write }), value: () => value };
}

const positions = (suspects: Suspects): number[] => [0, 1, 2, 3, 4, 5].filter((n) => suspects.has(n));

describe('Suspects', () => {
  it('suspects no one at first', async () => {
    expect(positions(await Suspects.read(survivor().notes, LOG))).toEqual([]);
  });

  it('suspects after a crash those who were under way, and no one else', async () => {
    const { notes } = survivor();
    const before = await Suspects.read(notes, LOG);
    await before.begin([0, 1]);
    before.end([0, 1]);
    await before.begin([2, 4]);
    await before.begin([3]);
    expect(positions(await Suspects.read(notes, LOG))).toEqual([2, 3, 4]);
  });

  it('counts runs alone that did not end', async () => {
    const { notes } = survivor();
    for (const crashes of [0, 1, 2]) {
      const suspects = await Suspects.read(notes, LOG);
      expect(suspects.crashes(3)).toBe(crashes);
      await suspects.beginAlone(3);
    }
  });

  it('forgets one who survived alone', async () => {
    const { notes } = survivor();
    await (await Suspects.read(notes, LOG)).begin([1, 2]);
    const suspects = await Suspects.read(notes, LOG);
    await suspects.beginAlone(1);
    suspects.endAlone(1);
    await suspects.beginAlone(2);
    const after = await Suspects.read(notes, LOG);
    expect(positions(after)).toEqual([2]);
    expect([after.crashes(1), after.crashes(2)]).toEqual([0, 1]);
  });

  it('keeps one as a suspect whose run alone ended for another reason', async () => {
    const { notes } = survivor();
    const suspects = await Suspects.read(notes, LOG);
    await suspects.beginAlone(1);
    suspects.withdrawAlone(1);
    await suspects.settle();
    const after = await Suspects.read(notes, LOG);
    expect([after.has(1), after.crashes(1)]).toEqual([true, 0]);
  });

  it('leaves those who are accused to the next worker, and nothing where there is no one', async () => {
    const { notes, value } = survivor();
    const suspects = await Suspects.read(notes, LOG);
    await suspects.begin([0, 1]);
    await suspects.begin([2, 3]);
    suspects.end([0, 1]);
    suspects.accuse([2, 3]);
    await suspects.settle();
    expect(positions(await Suspects.read(notes, LOG))).toEqual([2, 3]);
    suspects.endAlone(2);
    suspects.endAlone(3);
    await suspects.settle();
    expect(value()).toEqual({});
  });

  it('works without notes that fail', async () => {
    const broken: ShardNotes = {
      read: () => Promise.reject(new Error('read')),
      write: () => Promise.reject(new Error('write')),
      clear: () => Promise.reject(new Error('clear')),
    };
    const suspects = await Suspects.read(broken, LOG);
    await suspects.begin([1]);
    await suspects.settle();
    expect(positions(suspects)).toEqual([]);
  });

  it('knows nothing of a process that left no notes', async () => {
    await (await Suspects.read(NO_NOTES, LOG)).begin([1]);
    expect(positions(await Suspects.read(NO_NOTES, LOG))).toEqual([]);
  });
});

describe('jobNotes', () => {
  it.each([
    [0],
    ['x'],
    [null],
    [{}],
    [{ schema: 2, suspects: [], alone: [] }],
    [{ schema: 1, suspects: [-1], alone: [] }],
  ])('reads %j as no note', async (value) => {
    expect(await jobNotes({ read: () => value, write: async () => undefined }).read()).toBeUndefined();
  });
});
