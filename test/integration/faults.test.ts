/** A few scenarios of the fault ring, on fewer images; `npm run test:faults` runs it whole. */
import { QUICK_SCENARIOS } from '../faults/scenarios/index.ts';
import { testRing } from '../faults/test-ring.ts';

testRing(QUICK_SCENARIOS, { images: 256, shardSize: 4, logFolder: 'out/faults-quick' });
