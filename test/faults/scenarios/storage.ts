import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { Fault, ProxiedRequest } from '../../services/s3-proxy.ts';
import { FAULTS, injectFaults, isObjectGet } from '../proxy.ts';
import type { Scenario } from '../scenario.ts';
import { makeSmallDisk } from '../small-disk.ts';

interface FaultyRequests {
  readonly name: string;
  readonly about: string;
  readonly faults: readonly Fault[];
  readonly share: number;
  readonly what: string;
  readonly matches?: (request: ProxiedRequest) => boolean;
  readonly limit?: number;
}

/** From before the plan until after the merge. */
const faultyRequests = ({ name, about, what, ...faulty }: FaultyRequests): Scenario => ({
  name,
  about,
  run: async (stage) => {
    await stage.launch({ workers: 2 });
    const injection = injectFaults(stage.ring.proxy, { ...faulty, next: stage.random });
    await stage.enqueue();
    await stage.untilComplete();
    return { injected: injection.count(), what };
  },
});

const EXPIRED_MS = 8_000;

const expiredCredentials: Scenario = {
  name: 'credentials expire',
  about: `For ${EXPIRED_MS / 1000} s of the run S3 answers every request with 403 ExpiredToken: no image is blamed.`,
  run: async (stage) => {
    await stage.launch({ workers: 2 });
    await stage.enqueue();
    await stage.untilCommitted(5);
    const injection = injectFaults(stage.ring.proxy, {
      faults: [FAULTS.expiredToken],
      share: 1,
      next: stage.random,
    });
    await setTimeout(EXPIRED_MS);
    injection.lift();
    await stage.untilComplete();
    return { injected: injection.count(), what: 'answers 403' };
  },
};

const FULL_MS = 5_000;

const FULL = /the disk is full/;

const diskFull: Scenario = {
  name: 'disk full',
  about: `The output is a folder on a file system that is full half-way; ${FULL_MS / 1000} s later there is room again.`,
  run: async (stage) => {
    const disk = await makeSmallDisk();
    stage.onEnd(() => disk.remove());
    const uri = `${pathToFileURL(disk.folder).href}/`;
    stage.output = `${uri}labels/`;
    const allowed = `${stage.ring.bucketUri},${uri}`;
    await stage.launch({ workers: 2, environment: { ...disk.environment, MILLRACE_ALLOWED_URIS: allowed } });
    await stage.enqueue();
    await stage.untilCommitted(3);
    await disk.fill();
    await stage.until(() => stage.logged(FULL) > 0);
    await setTimeout(FULL_MS);
    await disk.free();
    await stage.untilComplete();
    return { injected: stage.logged(FULL), what: `writes without room (${disk.kind})` };
  },
};

export const STORAGE: readonly Scenario[] = [
  faultyRequests({
    name: 'S3 slows down',
    about: '5% of all requests are answered with 503 SlowDown, until 60 were.',
    faults: [FAULTS.slowDown],
    share: 0.05,
    limit: 60,
    what: 'answers 503',
  }),
  faultyRequests({
    name: 'S3 has internal errors',
    about: '10% of all requests are answered with 500 InternalError.',
    faults: [FAULTS.internalError],
    share: 0.1,
    what: 'answers 500',
  }),
  faultyRequests({
    name: 'connections to S3 break',
    about:
      '10% of all requests lose their connection, half of them after the server has done what was asked.',
    faults: [FAULTS.refused, FAULTS.lostAnswer],
    share: 0.1,
    what: 'resets',
  }),
  faultyRequests({
    name: 'S3 truncates bodies',
    about: '20% of all objects that are read end after 100 bytes.',
    faults: [FAULTS.truncated],
    share: 0.2,
    matches: isObjectGet,
    what: 'truncated bodies',
  }),
  faultyRequests({
    name: 'S3 does not answer',
    about: 'Four requests are never answered, until the client gives up after a minute.',
    faults: [FAULTS.silence],
    share: 0.02,
    limit: 4,
    what: 'requests without an answer',
  }),
  expiredCredentials,
  diskFull,
];
