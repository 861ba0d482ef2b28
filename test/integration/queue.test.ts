import { describe, expect, it } from 'vitest';
import { openQueue } from '../../src/queue/connection.ts';
import { QueueUnderTest } from './helpers/queue-under-test.ts';
import { testCluster } from './queue-conformance-cluster.ts';
import { testLostLock, testRuns } from './queue-conformance.ts';

describe('the embedded queue', () => {
  const its = new QueueUnderTest(async () => ({ stop: async () => {} }));
  testRuns(its);
  testCluster(its);
  testLostLock(its);
});

describe('openQueue', () => {
  it.each(['mysql://user:secret@host:3306', 'host:secret', 'secret'])(
    'says which URLs it serves, and not what is in %s',
    async (url) => {
      const opening = openQueue({ url });
      await expect(opening).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.not.stringContaining('secret'),
      });
      await expect(opening).rejects.toThrow('redis://');
    },
  );
});
