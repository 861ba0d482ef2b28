import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { untilClosed } from './helpers/cli.ts';

const PROCESS = fileURLToPath(new URL('helpers/inference-process.mjs', import.meta.url));
/** Makes a run that is fed 13 end its thread. */
const FATAL_RUN = new URL('helpers/fatal-run.mjs', import.meta.url).href;

async function play(
  scenario: string,
  ...nodeArguments: string[]
): Promise<{ signal: string | null; outcomes: unknown }> {
  const child = spawn(process.execPath, [...nodeArguments, PROCESS, scenario], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { exitCode, signal, stdout, stderr } = await untilClosed(child);
  if (exitCode !== 0 && signal === null) throw new Error(stderr);
  return { signal, outcomes: JSON.parse(stdout) };
}

describe('the inference thread', () => {
  it('tells the lack of memory from other errors, and runs on', async () => {
    expect(await play('memory')).toEqual({
      signal: null,
      outcomes: [
        { code: 'INFERENCE_OUT_OF_MEMORY', message: expect.stringMatching(/^ONNX Runtime: /) },
        { y: 0 },
      ],
    });
  });

  it('fails every run when it ends, and is replaced for the next', async () => {
    const lost = { code: 'SESSION_LOST', message: 'the inference thread is gone: it ended with code 7' };
    expect(await play('death', '--import', FATAL_RUN)).toEqual({
      signal: null,
      outcomes: [lost, lost, { y: 2 }],
    });
  });

  it('is found to hang in a run that does not end, and cannot be ended: the process is to end', async () => {
    const hung = {
      code: 'PROCESS_UNUSABLE',
      message:
        'an inference did not end within 0.3 s (inferenceTimeoutSeconds), and its thread cannot be ended',
    };
    expect(await play('hang')).toEqual({ signal: 'SIGKILL', outcomes: [hung, hung] });
  });

  it('leaves no timer behind', async () => {
    expect(await play('patient')).toEqual({ signal: null, outcomes: [{ y: 5 }, { y: 6 }] });
  });
});
