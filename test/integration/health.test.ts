import { afterEach, expect, it } from 'vitest';
import { type HealthOptions, type HealthServer, startHealthServer } from '../../src/runtime/health.ts';
import { Metrics } from '../../src/runtime/metrics.ts';

const metrics = new Metrics();
const servers: HealthServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function start(options: Partial<HealthOptions> = {}): Promise<HealthServer> {
  const server = await startHealthServer({ port: 0, checks: {}, isStarted: () => true, metrics, ...options });
  servers.push(server);
  return server;
}

async function ask(server: HealthServer, path: string): Promise<{ status: number; body: unknown }> {
  const response = await fetch(server.url + path);
  return { status: response.status, body: await response.json() };
}

it('lives, and is not ready, while it starts', async () => {
  let started = false;
  const server = await start({ isStarted: () => started });
  expect(await ask(server, '/livez')).toEqual({ status: 200, body: { status: 'ok' } });
  expect(await ask(server, '/startupz')).toEqual({ status: 503, body: { status: 'starting' } });
  expect((await ask(server, '/readyz')).status).toBe(503);
  started = true;
  expect((await ask(server, '/startupz')).status).toBe(200);
  expect(await ask(server, '/readyz')).toEqual({ status: 200, body: { status: 'ok', checks: {} } });
});

it('lives through an outage of what it needs, and says what is missing but not why', async () => {
  const warned: string[] = [];
  const server = await start({
    checks: { storage: async () => undefined },
    log: { warn: ({ err }, message) => void warned.push(`${message}: ${err.message}`) },
  });
  server.addCheck('queue', async () => {
    throw new Error('no answer from redis://u:p@h');
  });
  expect(await ask(server, '/livez')).toEqual({ status: 200, body: { status: 'ok' } });
  expect(await ask(server, '/readyz')).toEqual({
    status: 503,
    body: { status: 'not ready', checks: { storage: 'ok', queue: 'failed' } },
  });
  expect(warned).toEqual(['not ready: queue: no answer from redis://u:p@h']);
});

it('does not wait for a check that hangs', async () => {
  const server = await start({ checks: { queue: () => new Promise(() => undefined) } });
  expect(await ask(server, '/readyz')).toMatchObject({ status: 503, body: { checks: { queue: 'failed' } } });
});

it('is no longer ready, but lives, when it is about to stop', async () => {
  const server = await start();
  server.drain();
  expect(await ask(server, '/readyz')).toMatchObject({ status: 503, body: { status: 'stopping' } });
  expect((await ask(server, '/livez')).status).toBe(200);
});

it('serves the metrics as Prometheus reads them', async () => {
  const server = await start();
  const response = await fetch(`${server.url}/metrics`);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(await response.text()).toContain('# TYPE millrace_images_total counter');
});

it('refuses a port that is taken', async () => {
  const { port } = new URL((await start()).url);
  await expect(start({ port: Number(port) })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining(`0.0.0.0:${port}`),
  });
});

it('closes although a scraper keeps its connection', async () => {
  const server = await start();
  await fetch(`${server.url}/livez`, { headers: { connection: 'keep-alive' } });
  await server.close();
  await expect(fetch(`${server.url}/livez`)).rejects.toThrow('fetch failed');
});
