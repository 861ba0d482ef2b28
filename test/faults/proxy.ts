/** Which requests to S3 go wrong, and how: scripts for the proxy of `test/services/s3-proxy.ts`. */
import { type Fault, type ProxiedRequest, type S3Proxy, s3Error } from '../services/s3-proxy.ts';

export interface Injection {
  /** How many requests have gone wrong so far. */
  count(): number;
  /** From now on none does. */
  lift(): void;
}

export const FAULTS = {
  slowDown: s3Error(503, 'SlowDown'),
  internalError: s3Error(500, 'InternalError'),
  /** The server does nothing. */
  refused: { kind: 'refuse' },
  /** The server does it, and its answer is lost: the retry meets what was written. */
  lostAnswer: { kind: 'lose' },
  /** A body that is shorter than its head says. */
  truncated: { kind: 'cut', afterBytes: 100 },
  /** No answer at all: the client has to give up by itself. */
  silence: { kind: 'silence' },
  expiredToken: s3Error(403, 'ExpiredToken'),
  /** The completion of a multipart upload that fails after its head has said 200. */
  errorInside: s3Error(200, 'InternalError'),
} as const satisfies Record<string, Fault>;

export interface Faulty {
  readonly faults: readonly Fault[];
  /** Share of the requests that go wrong, 0..1. */
  readonly share: number;
  readonly next: () => number;
  /** All, where it is not given. */
  readonly matches?: (request: ProxiedRequest) => boolean;
  /** No more than so many in all. */
  readonly limit?: number;
}

/** Lets a random share of the requests go wrong until it is lifted. */
export function injectFaults(
  proxy: S3Proxy,
  { faults, share, next, matches, limit = Infinity }: Faulty,
): Injection {
  let count = 0;
  let lifted = false;
  proxy.inject((request) => {
    if (lifted || count >= limit || (matches && !matches(request)) || next() >= share) return undefined;
    count += 1;
    return faults[Math.floor(next() * faults.length)];
  });
  return { count: () => count, lift: () => void (lifted = true) };
}

export const isGet = ({ method }: ProxiedRequest): boolean => method === 'GET';
export const isObjectGet = ({ method, url }: ProxiedRequest): boolean =>
  method === 'GET' && !url.includes('list-type');
export const isUploadCompletion = ({ method, url }: ProxiedRequest): boolean =>
  method === 'POST' && url.includes('uploadId=');

/** Writes that would replace what must be final: commits and plans are created only if absent. */
export function unconditionalWrites(requests: readonly ProxiedRequest[]): readonly string[] {
  return requests
    .filter(
      ({ method, url, headers }) => method === 'PUT' && FINAL.test(url) && headers['if-none-match'] !== '*',
    )
    .map(({ url }) => `${url} was written without If-None-Match`);
}

const FINAL = /\/(?:commits\/[^/?]+|plan\.json|run\.json)(?:\?|$)/;
