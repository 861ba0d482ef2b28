import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { mergeRun } from '../../../src/merge/merge.ts';
import { planRun } from '../../../src/plan/plan-run.ts';
import { runDocument } from '../../../src/run/documents.ts';
import { RUN_KEY } from '../../../src/run/layout.ts';
import { readJson } from '../../../src/run/read-write.ts';
import { openSource } from '../../../src/source/open-source.ts';
import { keyPrefixOf } from '../../../src/source/parse-source.ts';
import type { SourceImage } from '../../../src/source/source.ts';
import { openStorage } from '../../../src/storage/open.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { inflateRun } from '../inflate-run.ts';
import { digestsOf } from '../invariants.ts';
import { FAULTS, injectFaults, isUploadCompletion } from '../proxy.ts';
import type { Scenario } from '../scenario.ts';
import { expectSuccess } from '../stage.ts';

const MERGES = 3;
const CANCELS = 2;
const FAILED_COMPLETIONS = 3;

async function merge(output: Storage): Promise<void> {
  const run = await readJson(output, RUN_KEY, runDocument);
  if (!run) throw new Error(`${output.uri} holds no run`);
  const keyPrefix = keyPrefixOf(run.source);
  await mergeRun(output, { manifest: run.model, options: run.options, generation: 0, keyPrefix });
}

const mergedTwice: Scenario = {
  name: 'merged several times at once',
  about: `When the last shard is committed, ${MERGES} merges start beside the coordinator's own.`,
  run: async (stage) => {
    await stage.launch({ workers: 2 });
    await stage.enqueue();
    await stage.until(({ shards, committedShards }) => shards > 0 && committedShards === shards);
    const output = await stage.storage();
    await Promise.all(Array.from({ length: MERGES }, () => merge(output)));
    await stage.untilComplete();
    return { injected: MERGES, what: 'merges' };
  },
};

const twoCoordinators: Scenario = {
  name: 'two coordinators',
  about: 'Two coordinators serve the run; each is killed in its first merge, and comes back.',
  run: async (stage) => {
    await stage.launch({ coordinators: 0, workers: 2 });
    const coordinators = await Promise.all(
      ['coordinator-1', 'coordinator-2'].map((name) =>
        stage.supervise(name, 'coordinator', { MILLRACE_FAILPOINT: 'in-merge' }),
      ),
    );
    await stage.enqueue();
    await stage.untilComplete();
    const injected = coordinators.reduce((sum, coordinator) => sum + coordinator.deaths(), 0);
    return { injected, what: 'SIGKILL' };
  },
};

const twoPlanners: Scenario = {
  name: 'two planners',
  about:
    'Another planner has listed a part of the images only, in another order; the first to finish wins, whole.',
  run: async (stage) => {
    await stage.launch({ coordinators: 0, workers: 2 });
    await stage.enqueue();
    const output = await stage.storage();
    const source = await openSource(stage.ring.source);
    const images: SourceImage[] = [];
    for await (const image of source.list()) images.push(image);
    const winner = planRun(output, fromArray(images), stage.ring.shardSize, 1);
    const others = images.slice(0, images.length >> 1).toReversed();
    // It has written all its parts, and is about to commit its plan.
    const loser = planRun(output, endingAfter(others, winner), stage.ring.shardSize, 1);
    const plans = await Promise.all([winner, loser]);
    if (JSON.stringify(plans[0]) !== JSON.stringify(plans[1])) throw new Error('the planners do not agree');
    await stage.cluster.startCoordinator('coordinator');
    await stage.untilComplete();
    return { injected: 1, what: 'planner with another listing' };
  },
};

async function* fromArray<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

async function* endingAfter<T>(items: readonly T[], event: Promise<unknown>): AsyncGenerator<T> {
  yield* items;
  await event;
}

const cancelled: Scenario = {
  name: 'cancelled and resumed',
  about: `"millrace cancel" while shards are at work, and "millrace resume" 3 s later; ${CANCELS} times.`,
  run: async (stage) => {
    await stage.launch({ workers: 1 });
    await stage.enqueue();
    let injected = 0;
    for (; injected < CANCELS; injected++) {
      const { committedShards } = await stage.status();
      await stage.untilCommitted(committedShards + 5);
      expectSuccess(await stage.cli('cancel', stage.output));
      await setTimeout(3_000);
      const { state } = await stage.status();
      if (state !== 'cancelled') throw new Error(`a cancelled run is ${state}`);
      expectSuccess(await stage.cli('resume', stage.output));
    }
    await stage.untilComplete();
    return { injected, what: 'cancels' };
  },
};

/** Files that are uploaded in parts, which those of 1,000 small images are not. */
const multipartFails: Scenario = {
  name: 'multipart uploads fail',
  about:
    'Records with long masks, so that the merge uploads in parts; its first completions answer 200 with an error inside.',
  run: async (stage) => {
    await stage.launch({ coordinators: 0 });
    await stage.enqueue();
    const folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-multipart-'));
    try {
      const alone = await openStorage(folder);
      await inflateRun(stage.ring.undisturbed, alone);
      const output = await stage.storage();
      await inflateRun(stage.ring.undisturbed, output);
      await alone.put(RUN_KEY, await output.get(RUN_KEY));
      await merge(alone);
      const injection = injectFaults(stage.ring.proxy, {
        faults: [FAULTS.errorInside],
        share: 1,
        limit: FAILED_COMPLETIONS,
        next: stage.random,
        matches: isUploadCompletion,
      });
      await stage.cluster.startCoordinator('coordinator');
      await stage.untilComplete();
      return {
        injected: injection.count(),
        what: 'completions 200 with an error',
        files: await digestsOf(alone),
      };
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

export const RUNS: readonly Scenario[] = [
  mergedTwice,
  twoCoordinators,
  twoPlanners,
  cancelled,
  multipartFails,
];
