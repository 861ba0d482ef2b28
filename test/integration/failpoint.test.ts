import { beforeAll, describe, expect, it } from 'vitest';
import {
  type CliOptions,
  type CliResult,
  finalFiles,
  fixtureModel,
  fixtureScenes,
  millrace,
  temporaryFolder,
} from './helpers/cli.ts';

const run = (output: string, environment: CliOptions['environment'] = {}): Promise<CliResult> =>
  millrace(
    [
      'run',
      fixtureScenes,
      '--model',
      fixtureModel('tiny-mask-rcnn'),
      '--output',
      output,
      '--shard-size',
      '2',
      '--no-annotate',
    ],
    { environment },
  );

let undisturbed: Record<string, string>;

beforeAll(async () => {
  const output = temporaryFolder();
  expect(await run(output)).toMatchObject({ exitCode: 0 });
  undisturbed = finalFiles(output);
});

describe('MILLRACE_FAILPOINT', () => {
  // Five images in three shards of equal ones: cards-1 and -2, cards-3 and -4, empty.
  it.each(['in-plan', 'after-fetch:4', 'mid-infer:2', 'after-records:2', 'after-commit', 'in-merge'])(
    'kills the process at %s, and the run resumes to the same bytes',
    async (point) => {
      const output = temporaryFolder();
      expect(await run(output, { MILLRACE_FAILPOINT: point })).toMatchObject({ signal: 'SIGKILL' });
      expect(await run(output), point).toMatchObject({ exitCode: 0 });
      expect(finalFiles(output)).toEqual(undisturbed);
    },
  );

  it.each([
    ['a point that is passed less often', { MILLRACE_FAILPOINT: 'after-commit:4' }],
    ['a point that does not exist', { MILLRACE_FAILPOINT: 'nowhere' }],
    ['production', { MILLRACE_FAILPOINT: 'after-commit', NODE_ENV: 'production' }],
  ])('does nothing: %s', async (_why, environment) => {
    expect(await run(temporaryFolder(), environment)).toMatchObject({ exitCode: 0 });
  });
});
