import { describe, expect, it } from 'vitest';
import {
  groupJobId,
  parseJob,
  runJob,
  runJobId,
  shardJob,
  shardJobId,
  shardOfJobId,
  shardsQueue,
} from '../../../src/queue/jobs.ts';
import { MillraceError } from '../../../src/runtime/errors.ts';

describe('job ids', () => {
  it('say what the job does', () => {
    expect(runJobId('cats')).toBe('run-cats');
    expect(groupJobId({ runId: 'cats', group: 3 })).toBe('group-cats.3');
    expect(shardJobId({ runId: 'cats', shard: 12, generation: 1 })).toBe('shard-cats.12.1');
    expect(shardsQueue('id-cards')).toBe('millrace.shards.id-cards');
  });

  it('keep BullMQ’s rules for a run id of digits: no colon, not digits alone', () => {
    const ids = [
      runJobId('2024'),
      groupJobId({ runId: '2024', group: 0 }),
      shardJobId({ runId: '2024', shard: 0, generation: 0 }),
    ];
    for (const id of ids) expect(id).toMatch(/^[a-z][^:]*$/);
  });

  it('give the shard back, below a queue’s name and for a run id with dots and digits', () => {
    const id = shardJobId({ runId: 'a.7.8', shard: 12, generation: 3 });
    expect(shardOfJobId(`bull:millrace.shards.m:${id}`)).toEqual({ shard: 12, generation: 3 });
  });

  it('that name no shard are refused', () => {
    expect(() => shardOfJobId('run-cats')).toThrow(MillraceError);
  });
});

describe('payloads', () => {
  it('of a run carry the step to do next', () => {
    const data = { runId: 'cats', step: 'merge', model: 'id-cards' };
    expect(parseJob(runJob, data, 'run-cats')).toEqual(data);
  });

  it.each([
    ['a path as run id', { runId: '../../etc/passwd', shard: 0, generation: 0 }],
    ['a URI as run id', { runId: 's3://bucket', shard: 0, generation: 0 }],
    ['an unknown key', { runId: 'cats', shard: 0, generation: 0, uri: 'file:///etc/passwd' }],
    ['a negative shard', { runId: 'cats', shard: -1, generation: 0 }],
    ['a fraction', { runId: 'cats', shard: 0.5, generation: 0 }],
    ['no object', 'cats'],
  ])('with %s are refused', (_what, data) => {
    expect(() => parseJob(shardJob, data, 'shard-x')).toThrow(
      expect.objectContaining({ code: 'RUN_CORRUPT', message: expect.stringContaining('shard-x') }),
    );
  });

  it('of a run whose model is a path are refused', () => {
    expect(() => parseJob(runJob, { runId: 'cats', step: 'merge', model: 'a/b' }, 'run-cats')).toThrow(
      MillraceError,
    );
  });
});
