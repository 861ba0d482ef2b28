import { afterAll, beforeAll, expect, it } from 'vitest';
import { readRun } from '../../src/flow/follow.ts';
import { checkInvariants, failuresOf } from './invariants.ts';
import { perform, type Row } from './perform.ts';
import { writeReport } from './report.ts';
import { type ReadyRing, type RingRequest, startRing } from './ring.ts';
import type { Scenario } from './scenario.ts';

const START_MS = 900_000;
const SCENARIO_MS = 600_000;

/** Makes a test of each scenario, on one ring. At the end the table is printed, and written to the ring's log folder. */
export function testRing(scenarios: readonly Scenario[], request: Omit<RingRequest, 'seed'>): void {
  const seed = Number(process.env['MILLRACE_TEST_SEED'] ?? 20_261_121);
  const rows: Row[] = [];
  let ring: ReadyRing | undefined;
  const ready = (): ReadyRing => {
    if (!ring) throw new Error('the ring was not started');
    return ring;
  };

  beforeAll(async () => {
    process.stdout.write(`seed ${seed} (MILLRACE_TEST_SEED), ${request.images} images\n`);
    ring = await startRing({ ...request, seed });
  }, START_MS);

  afterAll(async () => {
    if (!ring) return;
    process.stdout.write(`\n${writeReport(ring.logFolder, rows)}\n`);
    await ring.stop();
  });

  it('the undisturbed run is whole', async () => {
    const { undisturbed, expected, dataset } = ready();
    const { lost, violations } = await checkInvariants(undisturbed, expected);
    expect({ lost, violations }).toEqual({ lost: [], violations: [] });
    expect(await failuresOf(undisturbed)).toEqual(dataset.broken);
    const { annotations } = await readRun(undisturbed.uri).then(
      ({ success }) => success ?? { annotations: 0 },
    );
    // Without detections equal bytes would say little.
    expect(annotations).toBeGreaterThan(request.images);
  });

  it.each(scenarios)(
    '$name',
    async (scenario) => {
      const row = await perform(ready(), scenario);
      rows.push(row);
      process.stdout.write(`${row.scenario}: seed ${row.seed}, ${row.injected}, ${row.seconds} s\n`);
      expect({ lost: row.lost, violations: row.violations }).toEqual({ lost: 0, violations: [] });
    },
    SCENARIO_MS,
  );
}
