import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { POISON } from '../dataset.ts';
import type { Scenario } from '../scenario.ts';

const HOOK = fileURLToPath(new URL('../inference-faults.mjs', import.meta.url));
const DEAD_MS = 5_000;

/** A folder of one scenario, for the files that it shares with the hook. */
async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'millrace-faults-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const hooked = (folder: string, fault: string): Record<string, string> => ({
  NODE_OPTIONS: `--import=${HOOK}`,
  MILLRACE_TEST_INFERENCE: fault,
  MILLRACE_TEST_INFERENCE_LOG: path.join(folder, 'log'),
});

const injectedIn = (folder: string): number => {
  const file = path.join(folder, 'log');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
};

const poisonThrows: Scenario = {
  name: 'poison image throws',
  about: 'Every batch with one certain image throws: that image fails, and no other.',
  run: (stage) =>
    withFolder(async (folder) => {
      await stage.launch();
      await stage.superviseWorkers(2, {}, hooked(folder, 'poison-throws'));
      await stage.enqueue();
      await stage.untilComplete();
      return {
        injected: injectedIn(folder),
        what: 'throws of session.run',
        failed: new Map([[POISON.key, 'inference_failed']]),
      };
    }),
};

const poisonKills: Scenario = {
  name: 'poison image kills',
  about: 'Every batch with one certain image kills its whole process: that image fails, and no other.',
  run: (stage) =>
    withFolder(async (folder) => {
      await stage.launch();
      await stage.superviseWorkers(2, {}, hooked(folder, 'poison-kills'));
      await stage.enqueue();
      await stage.untilComplete();
      return {
        injected: injectedIn(folder),
        what: 'SIGKILL in session.run',
        failed: new Map([[POISON.key, 'inference_crashed']]),
      };
    }),
};

const noMemory: Scenario = {
  name: 'out of memory',
  about: 'The session has no memory for more than 2 images at once: batches are halved.',
  run: (stage) =>
    withFolder(async (folder) => {
      await stage.launch();
      // The probe of a model wants its whole batch, and is no part of what is shown here.
      const file = path.join(folder, 'loaded');
      await stage.superviseWorkers(2, {}, hooked(folder, `no-memory:${file}`));
      writeFileSync(file, '');
      await stage.enqueue();
      await stage.untilComplete();
      return { injected: injectedIn(folder), what: 'allocations that failed' };
    }),
};

const deadSession: Scenario = {
  name: 'dead session',
  about: `For ${DEAD_MS / 1000} s every inference fails, a blank image too: no image is blamed.`,
  run: (stage) =>
    withFolder(async (folder) => {
      await stage.launch();
      const file = path.join(folder, 'dead');
      await stage.superviseWorkers(2, {}, hooked(folder, `dead:${file}`));
      await stage.enqueue();
      await stage.untilCommitted(5);
      writeFileSync(file, '');
      await setTimeout(DEAD_MS);
      rmSync(file);
      await stage.untilComplete();
      return { injected: injectedIn(folder), what: 'inferences that failed' };
    }),
};

export const INFERENCE: readonly Scenario[] = [poisonThrows, poisonKills, noMemory, deadSession];
