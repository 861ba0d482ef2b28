import { describe } from 'vitest';
import { startRedis } from '../services/redis.ts';
import { QueueUnderTest } from './helpers/queue-under-test.ts';
import { testCluster } from './queue-conformance-cluster.ts';
import { testRuns } from './queue-conformance.ts';

describe('the queue on Redis, as the user who may do no more than it needs', () => {
  const its = new QueueUnderTest(() => startRedis({ acl: true }));
  testRuns(its);
  testCluster(its);
});
