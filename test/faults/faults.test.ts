import { SCENARIOS } from './scenarios/index.ts';
import { testRing } from './test-ring.ts';

testRing(SCENARIOS, { images: 1_000, shardSize: 16, logFolder: 'out/faults' });
