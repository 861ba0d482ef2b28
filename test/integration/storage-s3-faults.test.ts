import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { assertConditionalWrites } from '../../src/storage/conditional-writes.ts';
import { createS3Client } from '../../src/storage/s3-client.ts';
import { openS3Storage } from '../../src/storage/s3.ts';
import type { Storage } from '../../src/storage/storage.ts';
import {
  firstTimes,
  type ProxiedRequest,
  type S3Proxy,
  s3Error,
  startS3Proxy,
} from '../services/s3-proxy.ts';
import type { S3Server } from '../services/s3-server.ts';
import { startVersityGateway } from '../services/versitygw.ts';
import { collect } from '../unit/storage/collect.ts';

const MiB = 1024 * 1024;
const INSTALL_TIMEOUT_MS = 900_000;

let server: S3Server;
let proxy: S3Proxy;
let buckets = 0;
let bucket = '';
/** Through the proxy. */
let storage: Storage;
/** Not through the proxy. */
let direct: Storage;

function client(endpoint: string): ReturnType<typeof createS3Client> {
  process.env['AWS_ENDPOINT_URL_S3'] = endpoint;
  return createS3Client(process.env);
}

beforeAll(async () => {
  server = await startVersityGateway();
  Object.assign(process.env, server.environment);
  proxy = await startS3Proxy(server.endpoint);
}, INSTALL_TIMEOUT_MS);

afterAll(async () => {
  await proxy.stop();
  await server.stop();
});

beforeEach(async () => {
  bucket = `bucket-${++buckets}`;
  await server.createBucket(bucket);
  const location = { bucket, prefix: 'data/' };
  direct = openS3Storage(location, client(server.endpoint));
  await collect(direct.list(''));
  storage = openS3Storage(location, client(proxy.endpoint));
  proxy.inject(() => undefined);
});

const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = async (content: Promise<Uint8Array>): Promise<string> => Buffer.from(await content).toString();
const isGet = ({ method }: ProxiedRequest): boolean => method === 'GET';
const isPut = ({ method }: ProxiedRequest): boolean => method === 'PUT';
const always = Infinity;

function pattern(sizeBytes: number): Buffer {
  const content = Buffer.alloc(sizeBytes);
  for (let at = 0; at < sizeBytes; at += 4) content.writeUInt32LE(at, at);
  return content;
}

describe('S3 storage: reading through faults', () => {
  it('asks again for a body that broke off', async () => {
    const content = pattern(MiB);
    await storage.put('a', content);
    proxy.inject(firstTimes(2, isGet, { kind: 'cut', afterBytes: 100_000 }));
    expect(content.equals(await storage.get('a'))).toBe(true);
    expect(proxy.requests).toHaveLength(3);
  });

  it('never returns a part of a body', async () => {
    await storage.put('a', pattern(MiB));
    proxy.inject(firstTimes(always, isGet, { kind: 'cut', afterBytes: 100_000 }));
    await expect(storage.get('a')).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
      message: expect.stringContaining(`s3://${bucket}/data/a`),
    });
  });

  it('refuses what is too large before its body comes', async () => {
    await storage.put('a', bytes('12345'));
    proxy.inject(firstTimes(always, isGet, { kind: 'stall' }));
    await expect(storage.get('a', { maxBytes: 4 })).rejects.toMatchObject({ code: 'OBJECT_TOO_LARGE' });
  });

  it('goes on with a stream where it broke off, with the same version', async () => {
    const content = pattern(4 * MiB);
    await storage.put('a', content);
    proxy.inject(firstTimes(3, isGet, { kind: 'cut', afterBytes: MiB }));
    expect(content.equals(Buffer.concat(await collect(await storage.stream('a'))))).toBe(true);
    const etag = `"${(await direct.stat('a'))?.etag}"`;
    expect(proxy.requests.map(({ headers }) => [headers.range, headers['if-match']])).toEqual([
      [undefined, undefined],
      [`bytes=${MiB}-`, etag],
      [`bytes=${2 * MiB}-`, etag],
      [`bytes=${3 * MiB}-`, etag],
    ]);
  });

  it('does not go on with another version', async () => {
    await storage.put('a', pattern(4 * MiB));
    proxy.inject(firstTimes(1, isGet, { kind: 'cut', afterBytes: MiB }));
    const stream = await storage.stream('a');
    await direct.put('a', pattern(2 * MiB));
    await expect(collect(stream)).rejects.toMatchObject({ code: 'OBJECT_CHANGED' });
  });

  it('does not go on with a server that sends the whole object again', async () => {
    await storage.put('a', pattern(4 * MiB));
    proxy.inject(({ headers }) =>
      headers.range === undefined
        ? { kind: 'cut', afterBytes: MiB }
        : { kind: 'answer', status: 200, body: 'x'.repeat(4 * MiB) },
    );
    await expect(collect(await storage.stream('a'))).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  });

  it('lets a stream be left while it waits for the server', async () => {
    await storage.put('a', pattern(MiB));
    proxy.inject(firstTimes(always, isGet, { kind: 'stall' }));
    const stream = await storage.stream('a');
    const closed = new Promise((resolve) => stream.once('close', resolve));
    stream.read();
    stream.destroy();
    await closed;
    expect(stream.destroyed).toBe(true);
  });
});

describe('S3 storage: listing through faults', () => {
  const KEYS = 1_100;
  const fill = async (): Promise<void> => {
    for (let start = 0; start < KEYS; start += 50)
      await Promise.all(
        Array.from({ length: 50 }, (_, index) => direct.put(String(10_000 + start + index), bytes('x'))),
      );
  };
  const isSecondPage = ({ url }: ProxiedRequest): boolean => url.includes('continuation-token');
  const changed = (change: (body: string) => string) => ({
    kind: 'change' as const,
    change: ({ status, body }: { status: number; body: string }) => ({ status, body: change(body) }),
  });

  it('asks again for pages that fail or break off', async () => {
    await fill();
    const faults = [
      s3Error(503, 'SlowDown'),
      { kind: 'cut', afterBytes: 5_000 } as const,
      { kind: 'lose' } as const,
    ];
    proxy.inject((request) => (isSecondPage(request) ? faults.shift() : undefined));
    expect(await collect(storage.list(''))).toHaveLength(KEYS);
    expect(faults).toEqual([]);
  });

  it('throws when a page cannot be had', async () => {
    await fill();
    proxy.inject(firstTimes(always, isSecondPage, s3Error(500, 'InternalError')));
    await expect(collect(storage.list(''))).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
      message: `Cannot list s3://${bucket}/data/: InternalError (HTTP 500).`,
    });
  });

  it('throws when a page does not say how to go on', async () => {
    await fill();
    const withoutToken = changed((body) =>
      body.replace(/<NextContinuationToken>.*?<\/NextContinuationToken>/s, ''),
    );
    proxy.inject(() => withoutToken);
    await expect(collect(storage.list(''))).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  });

  it('throws when a page leads to itself, or repeats keys', async () => {
    await fill();
    let firstPage = '';
    proxy.inject(({ url }) =>
      changed((body) => {
        if (url.includes('delimiter')) return body;
        return (firstPage ||= body);
      }),
    );
    await expect(collect(storage.list(''))).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
      message: expect.stringContaining('order'),
    });
    proxy.inject(({ url }) => {
      const token = new URL(url, proxy.endpoint).searchParams.get('continuation-token');
      if (token === null) return undefined;
      return {
        kind: 'answer',
        status: 200,
        body: `<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><NextContinuationToken>${token}</NextContinuationToken></ListBucketResult>`,
      };
    });
    await expect(collect(storage.list(''))).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
      message: expect.stringContaining('leads to itself'),
    });
  });
});

describe('S3 storage: writing through faults', () => {
  it('knows its own object when the answer to a write was lost', async () => {
    proxy.inject(firstTimes(1, isPut, { kind: 'lose' }));
    expect(await storage.createIfAbsent('a', bytes('mine'))).toBe(true);
    expect(proxy.requests.map(({ method }) => method)).toEqual(['PUT', 'PUT', 'HEAD']);
    expect(await storage.createIfAbsent('a', bytes('mine'))).toBe(false);
  });

  it('does not take an equal object of another for its own', async () => {
    await direct.createIfAbsent('a', bytes('equal'));
    proxy.inject(firstTimes(1, isPut, { kind: 'refuse' }));
    expect(await storage.createIfAbsent('a', bytes('equal'))).toBe(false);
    expect(proxy.requests.map(({ method }) => method)).toEqual(['PUT', 'PUT', 'HEAD']);
  });

  it('tries again when another write is under way', async () => {
    proxy.inject(firstTimes(2, isPut, s3Error(409, 'ConditionalRequestConflict')));
    expect(await storage.createIfAbsent('a', bytes('x'))).toBe(true);
    proxy.inject(firstTimes(1, isPut, s3Error(409, 'ConditionalRequestConflict')));
    expect(await storage.createIfAbsent('a', bytes('x'))).toBe(false);
  });

  const large = async function* (): AsyncGenerator<Uint8Array> {
    for (let n = 0; n < 21; n++) yield Buffer.alloc(MiB, n);
  };
  const isCompletion = ({ method, url }: ProxiedRequest): boolean =>
    method === 'POST' && url.includes('uploadId');
  const errorIn200 = { ...s3Error(200, 'InternalError'), status: 200 };
  const uploads = async (): Promise<unknown> => {
    const s3 = client(server.endpoint);
    return (await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads ?? [];
  };

  it('tries again when the completion of an upload is an error with status 200', async () => {
    proxy.inject(firstTimes(1, isCompletion, errorIn200));
    await storage.put('a', large());
    expect(proxy.requests.filter(isCompletion)).toHaveLength(2);
    expect((await direct.stat('a'))?.sizeBytes).toBe(21 * MiB);
  });

  it('aborts an upload that cannot be completed, and keeps the old object', async () => {
    await storage.put('a', bytes('old'));
    proxy.inject(firstTimes(always, isCompletion, errorIn200));
    await expect(storage.put('a', large())).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(await text(direct.get('a'))).toBe('old');
    expect(await uploads()).toEqual([]);
  });

  it('tells of what the body has thrown, even if the abort fails too', async () => {
    const failing = async function* (): AsyncGenerator<Uint8Array> {
      yield* large();
      throw new Error('the source broke');
    };
    proxy.inject(firstTimes(always, ({ method }) => method === 'DELETE', s3Error(403, 'AccessDenied')));
    await expect(storage.put('a', failing())).rejects.toThrow('the source broke');
    expect(await direct.stat('a')).toBeUndefined();
    expect(await uploads()).toHaveLength(1);
  });
});

describe('S3 storage: conditional writes', () => {
  it('finds them where they are, every time, and leaves one object', async () => {
    await assertConditionalWrites(storage);
    await assertConditionalWrites(storage);
    expect((await collect(storage.list(''))).map(({ key }) => key)).toEqual(['.millrace-probe']);
  });

  it('refuses a server that ignores them', async () => {
    const ignore = { kind: 'change', change: () => ({ status: 200, body: '' }) } as const;
    proxy.inject(firstTimes(always, isPut, ignore));
    const refused = {
      code: 'STORAGE_NOT_SUPPORTED',
      message: expect.stringContaining('ignores conditional writes'),
    };
    await expect(assertConditionalWrites(storage)).rejects.toMatchObject(refused);
  });

  it('refuses a server that does not know them', async () => {
    proxy.inject(firstTimes(always, isPut, s3Error(501, 'NotImplemented')));
    const refused = { code: 'STORAGE_NOT_SUPPORTED', message: expect.stringContaining('does not know') };
    await expect(assertConditionalWrites(storage)).rejects.toMatchObject(refused);
  });
});

describe('S3 storage: errors', () => {
  it.each([
    ['ExpiredToken', 400, 'CREDENTIALS_INVALID'],
    ['InvalidAccessKeyId', 403, 'CREDENTIALS_INVALID'],
    ['RequestTimeTooSkewed', 403, 'CREDENTIALS_INVALID'],
    ['AccessDenied', 403, 'ACCESS_DENIED'],
    ['NoSuchBucket', 404, 'BUCKET_NOT_FOUND'],
    ['NoSuchKey', 404, 'OBJECT_NOT_FOUND'],
    ['NoSuchUpload', 404, 'STORAGE_UNAVAILABLE'],
    ['PermanentRedirect', 301, 'CONFIG_INVALID'],
    ['InvalidArgument', 400, 'STORAGE_UNAVAILABLE'],
  ])('takes %s (%d) for %s', async (s3Code, status, code) => {
    proxy.inject(() => s3Error(status, s3Code));
    const expected = {
      code,
      message: expect.stringContaining(`s3://${bucket}/data/a: ${s3Code} (HTTP ${status}).`),
    };
    await expect(storage.get('a')).rejects.toMatchObject(expected);
    await expect(storage.put('a', bytes('x'))).rejects.toMatchObject({ code });
    await expect(storage.createIfAbsent('a', bytes('x'))).rejects.toMatchObject({ code });
    await expect(collect(storage.list(''))).rejects.toMatchObject({ code });
    if (s3Code === 'NoSuchKey') expect(await storage.stat('a')).toBeUndefined();
    else if (status !== 301) await expect(storage.stat('a')).rejects.toMatchObject(expected);
  });

  it('needs no right to tidy up', async () => {
    proxy.inject(() => s3Error(403, 'AccessDenied'));
    expect(await storage.removeUnfinishedWrites()).toBe(0);
  });

  it('says that a bucket is missing', async () => {
    const nowhere = openS3Storage({ bucket: 'no-such-bucket', prefix: '' }, client(server.endpoint));
    const missing = { code: 'BUCKET_NOT_FOUND', message: expect.stringContaining('s3://no-such-bucket/') };
    await expect(collect(nowhere.list(''))).rejects.toMatchObject(missing);
    await expect(nowhere.get('a')).rejects.toMatchObject(missing);
    await expect(nowhere.stat('a')).rejects.toMatchObject(missing);
    await expect(nowhere.put('a', bytes('x'))).rejects.toMatchObject(missing);
  });

  it('tells wrong credentials from missing rights, for HEAD too, and keeps them to itself', async () => {
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = server.environment;
    const wrong = [
      { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY: 'wrong' },
      { AWS_ACCESS_KEY_ID: 'AKIAUNKNOWN', AWS_SECRET_ACCESS_KEY },
    ];
    try {
      for (const credentials of wrong) {
        Object.assign(process.env, credentials);
        const storage = openS3Storage({ bucket, prefix: '' }, client(server.endpoint));
        const actions = [
          () => storage.get('a'),
          () => storage.stat('a'),
          () => storage.put('a', bytes('x')),
          () => collect(storage.list('')),
        ];
        for (const action of actions) {
          const error: unknown = await action().catch((error: unknown) => error);
          expect(error).toMatchObject({ code: 'CREDENTIALS_INVALID', retry: 'backoff', exitCode: 1 });
          expect(error).not.toHaveProperty('cause');
          expect(String(error)).not.toContain(credentials.AWS_ACCESS_KEY_ID);
        }
      }
    } finally {
      Object.assign(process.env, server.environment);
    }
  });

  it('says that nothing answers', async () => {
    const gone = await startS3Proxy(server.endpoint);
    const storage = openS3Storage({ bucket, prefix: '' }, client(gone.endpoint));
    await gone.stop();
    await expect(storage.get('a')).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });
});
