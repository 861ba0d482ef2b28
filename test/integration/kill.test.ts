import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { random } from '../faults/random.ts';
import { demoImages, finalFiles, fixtureModel, millrace, temporaryFolder } from './helpers/cli.ts';

const KILLS = 20;

const run = (output: string) => [
  'run',
  demoImages,
  '--model',
  fixtureModel('tiny-mask-rcnn'),
  '--output',
  output,
  '--shard-size',
  '2',
];

describe('a run that is killed', () => {
  it(`resumes after SIGKILL at ${KILLS} random moments, to the same bytes`, async () => {
    const seed = Number(process.env.MILLRACE_TEST_SEED ?? 20_261_121);
    process.stdout.write(`seed ${seed} (MILLRACE_TEST_SEED)\n`);
    const undisturbed = temporaryFolder();
    const startedMs = performance.now();
    expect(await millrace(run(undisturbed))).toMatchObject({ exitCode: 0 });
    const wholeMs = performance.now() - startedMs;

    const expected = finalFiles(undisturbed);
    const next = random(seed);
    let [output, kills] = [temporaryFolder(), 0];
    // A run that ended before its kill does not count.
    for (let attempt = 0; kills < KILLS; attempt++) {
      expect(attempt).toBeLessThan(10 * KILLS);
      const delayMs = next() * wholeMs;
      const { signal } = await millrace(run(output), {
        onStart: (child) => setTimeout(() => child.kill('SIGKILL'), delayMs).unref(),
      });
      if (signal === 'SIGKILL') kills += 1;
      if (!existsSync(path.join(output, '_SUCCESS'))) continue;
      // A complete run has nothing left to disturb.
      expect(finalFiles(output)).toEqual(expected);
      output = temporaryFolder();
    }
    expect(await millrace(run(output))).toMatchObject({ exitCode: 0 });
    expect(finalFiles(output)).toEqual(expected);
  });
});
