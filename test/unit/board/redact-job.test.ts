import { describe, expect, it } from 'vitest';
import { redactAnswer, redactJobData } from '../../../src/board/redact-job.ts';

describe('job data', () => {
  it('shows ids and counts', () => {
    const data = { runId: '2026-11-21.cards', shard: 17, generation: 0 };
    expect(redactJobData(data)).toEqual(data);
  });

  it('shows nothing that is not one', () => {
    expect(
      redactJobData({
        runId: '<img src=x onerror=alert(1)>',
        uri: 's3://bucket/key',
        password: 'hunter2',
        accessKey: 'AKIAIOSFODNN7EXAMPLE',
        '<b>': 1,
        deep: [{ path: '/etc/passwd' }],
      }),
    ).toEqual({
      runId: '***',
      uri: '***',
      password: '***',
      accessKey: '***',
      '***': 1,
      deep: [{ path: '***' }],
    });
  });
});

describe('an answer', () => {
  it('loses the secrets of failure reasons, of logs and of flows as deep as they go', () => {
    expect(redactAnswer({ queues: [{ jobs: [{ failedReason: 'redis://u:p@h' }] }] })).toEqual({
      queues: [{ jobs: [{ failedReason: 'redis://***@h' }] }],
    });
    expect(redactAnswer(['log redis://u:p@h'])).toEqual(['log redis://***@h']);
    const flow = { children: [{ children: [{ children: [{ dependencies: { failed: 1 } }] }] }] };
    expect(redactAnswer({ flowRoot: flow })).toEqual({ flowRoot: flow });
  });
});
