import { fastify } from 'fastify';
import { toError } from './errors.ts';
import { listen } from './listen.ts';

/** What a readiness check of one thing may take before it counts as failed. */
const CHECK_TIMEOUT_MS = 2_000;

export interface HealthOptions {
  /** 0: any that is free. */
  readonly port: number;
  /** The address to listen on; every one of the machine where it is not given, as a probe comes from outside. */
  readonly host?: string;
  /** What `/readyz` asks, by name; each throws where the process cannot work. `addCheck` adds to them. */
  readonly checks: Readonly<Record<string, () => Promise<unknown>>>;
  /** Whether the process has finished starting: models loaded and warmed up. */
  readonly isStarted: () => boolean;
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
  readonly log?: { warn(fields: { err: Error }, message: string): void };
}

export interface HealthServer {
  /** `http://address:port`. */
  readonly url: string;
  /** Lets `/readyz` ask for what was opened after the server was. */
  addCheck(name: string, check: () => Promise<unknown>): void;
  /** From now on `/readyz` says no: the process is about to stop. */
  drain(): void;
  close(): Promise<void>;
}

/**
 * Serves `/livez`, `/readyz`, `/startupz` and `/metrics`.
 *
 * `/livez` is answered by the main thread and asks nothing else: an outage of queue or storage must not restart a whole
 * cluster. `/readyz` says which check failed, but not why: the answer is for anyone, the reason is in the log.
 *
 * @throws MillraceError CONFIG_INVALID if the port is taken or not allowed.
 */
export async function startHealthServer(options: HealthOptions): Promise<HealthServer> {
  const { port, host = '0.0.0.0', isStarted, metrics } = options;
  const checks = { ...options.checks };
  const server = fastify({ bodyLimit: 1024, forceCloseConnections: true });
  let draining = false;

  server.addHook('onSend', async (_request, reply) => {
    void reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
  });
  server.get('/livez', async () => ({ status: 'ok' }));
  server.get('/startupz', async (_request, reply) => {
    const started = isStarted();
    return reply.code(started ? 200 : 503).send({ status: started ? 'ok' : 'starting' });
  });
  server.get('/readyz', async (_request, reply) => {
    if (draining || !isStarted())
      return reply.code(503).send({ status: draining ? 'stopping' : 'starting', checks: {} });
    const results = await runChecks(checks, options.log);
    const ready = Object.values(results).every((result) => result === 'ok');
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ok' : 'not ready', checks: results });
  });
  server.get('/metrics', async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.text()),
  );

  const url = await listen(server, { port, host });
  return {
    url,
    addCheck: (name, check) => {
      checks[name] = check;
    },
    drain: () => {
      draining = true;
    },
    close: () => server.close(),
  };
}

async function runChecks(
  checks: HealthOptions['checks'],
  log: HealthOptions['log'],
): Promise<Record<string, 'ok' | 'failed'>> {
  const results = Object.entries(checks).map(async ([name, check]) => {
    try {
      await withTimeout(check(), CHECK_TIMEOUT_MS);
      return [name, 'ok'] as const;
    } catch (error) {
      log?.warn({ err: toError(error) }, `not ready: ${name}`);
      return [name, 'failed'] as const;
    }
  });
  return Object.fromEntries(await Promise.all(results));
}

async function withTimeout(work: Promise<unknown>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
