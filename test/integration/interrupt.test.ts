import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { demoImages, demoModel, finalFiles, millrace, temporaryFolder } from './helpers/cli.ts';

const run = (output: string, ...flags: string[]) => [
  'run',
  demoImages,
  '--model',
  demoModel,
  '--output',
  output,
  '--shard-size',
  '2',
  ...flags,
];

/** Signals once the first shard is committed: the run is at work then. */
function signalWhenAtWork(output: string, signal: NodeJS.Signals) {
  return (child: { kill(signal: NodeJS.Signals): boolean }): void => {
    const commits = path.join(output, 'commits');
    const timer = setInterval(() => {
      if (!existsSync(commits) || readdirSync(commits).length === 0) return;
      clearInterval(timer);
      child.kill(signal);
    }, 5);
  };
}

describe('a run that is interrupted', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'ends by %s with 130, says how to resume, and resumes',
    async (signal) => {
      const [undisturbed, output] = [temporaryFolder(), temporaryFolder()];
      expect(await millrace(run(undisturbed))).toMatchObject({ exitCode: 0 });
      const interrupted = await millrace(run(output), { onStart: signalWhenAtWork(output, signal) });
      expect(interrupted).toMatchObject({ exitCode: 130, signal: null });
      expect(interrupted.stderr).toMatch(/finishing the batch in hand/);
      expect(interrupted.stderr).toMatch(/run the same command again to resume/);
      expect(existsSync(path.join(output, '_SUCCESS'))).toBe(false);
      expect(await millrace(run(output))).toMatchObject({ exitCode: 0 });
      expect(finalFiles(output)).toEqual(finalFiles(undisturbed));
    },
  );
});

describe('a signal that has nothing to wait for ends the process by itself', () => {
  it('the second one, in the middle of an inference', async () => {
    const output = temporaryFolder();
    const first = signalWhenAtWork(output, 'SIGINT');
    const interrupted = await millrace(run(output), {
      onStart: (child) => {
        first(child);
        child.stderr?.on('data', (chunk: Buffer) => {
          if (chunk.includes('Ctrl-C again')) child.kill('SIGINT');
        });
      },
    });
    expect(interrupted).toMatchObject({ exitCode: null, signal: 'SIGINT' });
    expect(await millrace(run(output))).toMatchObject({ exitCode: 0 });
  });

  it('one that comes while the process starts', async () => {
    const output = temporaryFolder();
    const started = await millrace(run(output), { onStart: (child) => void child.kill('SIGTERM') });
    expect(started).toMatchObject({ exitCode: null, signal: 'SIGTERM' });
    expect(existsSync(path.join(output, 'run.json'))).toBe(false);
  });
});

describe('a run with too many failures', () => {
  it('stops with 3, and goes on with a larger budget', async () => {
    const output = temporaryFolder();
    const stopped = await millrace(run(output, '--max-failures', '2'));
    expect(stopped.exitCode, stopped.stderr).toBe(3);
    expect(stopped.stderr).toMatch(
      /3 of 33 images failed; the budget is 2 images\. Among them:\n {2}"broken\/[^\n]*: (truncated|empty|not_an_image),.*larger --max-failures/s,
    );
    expect(existsSync(path.join(output, '_SUCCESS'))).toBe(false);
    expect(await millrace(run(output, '--max-failures', '3'))).toMatchObject({ exitCode: 0 });
    expect(existsSync(path.join(output, '_SUCCESS'))).toBe(true);
  });

  it('is one where every image fails, and says which; unless that was allowed', async () => {
    const output = temporaryFolder();
    const broken = ['run', path.join(demoImages, 'broken'), '--model', demoModel, '--output', output];
    const stopped = await millrace(broken);
    expect(stopped.exitCode, stopped.stderr).toBe(3);
    expect(stopped.stderr).toMatch(
      /3 of 3 images failed; the budget is 5%\. Among them:\n {2}"empty\.jpg": empty,/,
    );
    expect(await millrace([...broken, '--max-failures', '100%'])).toMatchObject({ exitCode: 0 });
  });

  it('judges an asked share at the end of a small run', async () => {
    const output = temporaryFolder();
    const stopped = await millrace(run(output, '--max-failures', '9%', '--no-annotate'));
    expect(stopped.exitCode).toBe(3);
    expect(stopped.stderr).toMatch(/the budget is 9%/);
  });
});
