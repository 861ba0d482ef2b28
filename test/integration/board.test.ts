import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Board } from '../../src/board/server.ts';
import { openBoardQueue } from '../../src/queue/board-queues.ts';
import { openQueue, type QueueConnection } from '../../src/queue/connection.ts';
import { startChromium } from '../services/chromium.ts';
import { type RedisServer, startRedis } from '../services/redis.ts';
import { AUTHORIZATION, CREDENTIALS, failRun, serveTestBoard, WRONG_AUTHORIZATION } from './helpers/board.ts';

const SHARDS = 'millrace.shards.cards';
const HOSTILE = '<img src=x onerror="window.executed=1"><script>window.executed=1</script>';
const SECRET = 'hunter2';
const REASON = `the records ${HOSTILE} of redis://app:${SECRET}@redis are not valid`;
const SHOWN_REASON = `RUN_CORRUPT: the records ${HOSTILE} of redis://***@redis are not valid`;
/** How long a slow machine is waited for. */
const PATIENCE = { timeout: 30_000 };
const FAILED_JOB = `/queue/${SHARDS}/shard-run-1.3.0`;

let redis: RedisServer;
let queue: QueueConnection;
let board: Board;
let browser: Browser;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  [redis, browser] = await Promise.all([startRedis({ acl: true }), startChromium()]);
  queue = await openQueue({ url: redis.url, groupSize: 4 });
  await failRun(queue, 'run-1', 6, REASON);
  // Somebody else who can write to Redis.
  await openBoardQueue(queue, SHARDS).add(
    HOSTILE,
    { runId: HOSTILE, uri: 's3://bucket/key', password: SECRET, shard: 1 },
    { jobId: 'forged', delay: 1e9 },
  );
  board = await serveTestBoard(queue);
});
afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
});
afterAll(async () => {
  await browser.close();
  await board.close();
  await queue.close();
  await redis.stop();
});

async function openPage(credentials?: { user: string; password: string }): Promise<Page> {
  const context = await browser.newContext({
    ...(credentials && {
      httpCredentials: { username: credentials.user, password: credentials.password },
    }),
  });
  contexts.push(context);
  return context.newPage();
}

const ask = (path: string, method = 'GET'): Promise<Response> =>
  fetch(board.url + path, { method, headers: { authorization: AUTHORIZATION } });

/** The buttons that have a picture only: copying, full screen, settings, and whatever changes a job. */
const pictureButtons = (page: Page): Promise<number> =>
  page.locator('button:not([aria-label]):not([role=tab])').count();

describe('who has no password', () => {
  it.each(['/', FAILED_JOB, '/api/queues', '/static/favicon.ico', '/no/such/path'])(
    'is refused %s',
    async (path) => {
      for (const headers of [{}, { authorization: WRONG_AUTHORIZATION }, { authorization: 'Basic !' }]) {
        const response = await fetch(board.url + path, { headers });
        expect(response.status).toBe(401);
        expect(response.headers.get('www-authenticate')).toMatch(/^Basic realm="Millrace"/);
        expect(await response.text()).not.toContain('run-1');
      }
    },
  );

  it.each([undefined, { ...CREDENTIALS, password: 'correct horse batterx' }])(
    'sees nothing in a browser: %j',
    async (credentials) => {
      const page = await openPage(credentials);
      const statuses: number[] = [];
      page.on('response', (response) => statuses.push(response.status()));
      await page.goto(board.url).catch((error: unknown) => {
        expect(String(error)).toContain('ERR_INVALID_AUTH_CREDENTIALS');
      });
      expect(statuses.every((status) => status === 401)).toBe(true);
      expect(await page.getByText('millrace.runs').count()).toBe(0);
    },
  );

  it('may ask whether the board lives', async () => {
    const response = await fetch(`${board.url}/livez`);
    expect(await response.json()).toEqual({ status: 'ok' });
  });
});

describe('who has the password', () => {
  it('sees the queues, and the jobs of a run', async () => {
    const page = await openPage(CREDENTIALS);
    await page.goto(board.url);
    await page.getByRole('link', { name: SHARDS }).first().waitFor();
    await page.getByRole('link', { name: 'millrace.runs' }).first().click();
    await page.getByText('run-run-1').first().waitFor();
    await page.getByText('RUN_CORRUPT: shard 3 has no commit').first().waitFor();
  });

  it('sees why a shard failed, and the flow that it belongs to', async () => {
    const page = await openPage(CREDENTIALS);
    await page.goto(`${board.url}/queue/${SHARDS}?status=failed`);
    await page.getByRole('link', { name: 'shard-run-1.3.0' }).first().click();
    await page.getByText(SHOWN_REASON).first().waitFor();
    await page.getByText('Job flow').waitFor();
    // The run, two groups and six shards.
    await expect.poll(() => page.locator('.react-flow__node').count(), PATIENCE).toBe(9);
  });

  it.each([FAILED_JOB, `/queue/${SHARDS}/forged`, `/queue/${SHARDS}?status=delayed`])(
    'sees HTML as text, and none of it runs: %s',
    async (path) => {
      const page = await openPage(CREDENTIALS);
      await page.goto(board.url + path);
      await page.getByText('<img src=x onerror=').first().waitFor();
      expect(await page.locator('img[src="x"]').count()).toBe(0);
      expect(await page.evaluate(() => 'executed' in globalThis)).toBe(false);
    },
  );

  it('sees ids and counts of a job, not what else is in it', async () => {
    const response = await ask(`/api/queues/${SHARDS}/forged`);
    expect(await response.json()).toMatchObject({
      job: { data: { runId: '***', uri: '***', password: '***', shard: 1 } },
    });
  });

  it.each([
    `/api/queues?activeQueue=${SHARDS}&status=failed&page=1&jobsPerPage=10`,
    `/api/queues/${SHARDS}/shard-run-1.3.0`,
    `/api/queues/millrace.runs/run-run-1/flow?depth=10&maxChildren=50`,
    `/api/queues/millrace.runs/group-run-1.0`,
  ])('sees no secret in %s', async (path) => {
    const response = await ask(path);
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(text).toContain('shard');
    expect(text).not.toContain(SECRET);
  });

  it('loads nothing from elsewhere', async () => {
    const page = await openPage(CREDENTIALS);
    const hosts = new Set<string>();
    page.on('response', (response) => hosts.add(new URL(response.url()).host));
    await page.goto(board.url + FAILED_JOB);
    await page.getByText(SHOWN_REASON).first().waitFor();
    expect([...hosts]).toEqual([new URL(board.url).host]);
  });
});

it.each(['/', '/api/queues', '/static/favicon.ico', '/livez'])(
  'sends security headers with %s',
  async (path) => {
    const { headers } = await ask(path);
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('cache-control')).toBe('no-store');
  },
);

describe('a board that is read-only', () => {
  it.each([
    ['PUT', '/api/queues/pause'],
    ['PUT', `/api/queues/${SHARDS}/retry/failed`],
    ['PUT', `/api/queues/${SHARDS}/shard-run-1.3.0/retry/failed`],
    ['PUT', `/api/queues/${SHARDS}/shard-run-1.3.0/clean`],
    ['POST', `/api/queues/${SHARDS}/add`],
    ['PATCH', `/api/queues/${SHARDS}/forged/update-data`],
    ['DELETE', '/no/such/path'],
  ])('refuses %s %s', async (method, path) => {
    expect((await ask(path, method)).status).toBe(405);
  });

  it('has changed nothing after all that', async () => {
    const shards = openBoardQueue(queue, SHARDS);
    expect(await shards.isPaused()).toBe(false);
    expect(await shards.getJobCounts('failed', 'completed', 'delayed', 'waiting')).toEqual({
      failed: 1,
      completed: 5,
      delayed: 1,
      waiting: 0,
    });
  });
});

describe('a board that may change things', () => {
  let writable: Board;
  beforeAll(async () => {
    writable = await serveTestBoard(queue, { allowChanges: true });
    await vi.waitFor(async () => expect((await change({})).status).toBe(200), PATIENCE);
  });
  afterAll(() => writable.close());

  const change = (headers: Record<string, string>, body?: string): Promise<Response> =>
    fetch(`${writable.url}/api/queues/${SHARDS}/pause`, {
      method: 'PUT',
      headers: { authorization: AUTHORIZATION, ...headers },
      ...(body !== undefined && { body }),
    });

  it('takes them from a page of its own', async () => {
    await openBoardQueue(queue, SHARDS).resume();
    expect((await change({ 'sec-fetch-site': 'same-origin' })).status).toBe(200);
    expect(await openBoardQueue(queue, SHARDS).isPaused()).toBe(true);
  });

  it('offers them in the browser: edit, duplicate, retry, clean; a read-only one does not', async () => {
    const pages = await Promise.all(
      [writable, board].map(async ({ url }) => {
        const page = await openPage(CREDENTIALS);
        await page.goto(url + FAILED_JOB);
        await page.locator('.react-flow__node').first().waitFor();
        return page;
      }),
    );
    await expect
      .poll(async () => {
        const [offered = 0, readOnly = 0] = await Promise.all(pages.map(pictureButtons));
        return offered - readOnly;
      }, PATIENCE)
      .toBe(4);
  });

  it('does not take them from a page of another site, nor without a password', async () => {
    expect((await change({ 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await change({ origin: 'https://evil.example' })).status).toBe(403);
    expect((await change({ authorization: WRONG_AUTHORIZATION })).status).toBe(401);
  });

  it('does not take a large body', async () => {
    const body = JSON.stringify({ data: 'x'.repeat(100_000) });
    expect((await change({ 'content-type': 'application/json' }, body)).status).toBe(413);
  });
});

it('shows the queue of a new model, and goes on when it cannot look for one', async () => {
  let answer: () => Promise<string[]> = () => Promise.reject(new Error('no storage'));
  const other = await serveTestBoard(queue, { listQueues: () => answer() });
  const names = async (): Promise<string> => {
    const response = await fetch(`${other.url}/api/queues`, { headers: { authorization: AUTHORIZATION } });
    return JSON.stringify(await response.json());
  };
  try {
    expect(await names()).toContain('millrace.runs');
    answer = async () => ['millrace.shards.boats'];
    await expect.poll(names, PATIENCE).toContain('millrace.shards.boats');
  } finally {
    await other.close();
  }
});

it('refuses a port that is taken', async () => {
  await expect(serveTestBoard(queue, { port: Number(new URL(board.url).port) })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
  });
});
