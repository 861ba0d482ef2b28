import { describe } from 'vitest';
import { startPostgres } from '../services/postgres.ts';
import { QueueUnderTest } from './helpers/queue-under-test.ts';
import { testCluster } from './queue-conformance-cluster.ts';
import { testLostLock, testRuns } from './queue-conformance.ts';

describe('the queue on PostgreSQL', () => {
  const its = new QueueUnderTest(startPostgres);
  testRuns(its);
  testCluster(its);
  testLostLock(its);
});
