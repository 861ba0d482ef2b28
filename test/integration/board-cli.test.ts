import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../services/redis.ts';
import { AUTHORIZATION, CREDENTIALS } from './helpers/board.ts';
import { type CliResult, demoImages, demoModel, millrace, temporaryFolder } from './helpers/cli.ts';

let redis: RedisServer;
let environment: Record<string, string>;

beforeAll(async () => {
  redis = await startRedis();
  environment = {
    QUEUE_URL: redis.url,
    MILLRACE_REGISTRY: temporaryFolder(),
    MILLRACE_BOARD_PORT: '0',
  };
});
afterAll(() => redis.stop());

describe('millrace board', () => {
  it.each([
    ['no password', {}, /set MILLRACE_BOARD_PASSWORD/],
    ['a short password', { MILLRACE_BOARD_PASSWORD: 'hunter2' }, /7 characters; at least 12/],
    ['a file that is not there', { MILLRACE_BOARD_PASSWORD_FILE: '/no/such/file' }, /ENOENT/],
  ])('does not start with %s', async (_name, password, message) => {
    const { exitCode, stdout, stderr } = await millrace(['board'], {
      environment: { ...environment, ...password },
    });
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(message);
    expect(stdout + stderr).not.toContain('hunter2');
  });

  it('shows the queue of a model that a run was enqueued with, and ends at SIGTERM with 0', async () => {
    const enqueued = await millrace(
      ['enqueue', demoImages, '--model', demoModel, '--output', temporaryFolder()],
      { environment },
    );
    expect(enqueued).toMatchObject({ exitCode: 0 });
    const passwordFile = path.join(temporaryFolder(), 'password');
    writeFileSync(passwordFile, `${CREDENTIALS.password}\n`);
    const board = await startBoard({ ...environment, MILLRACE_BOARD_PASSWORD_FILE: passwordFile });
    await expect
      .poll(
        async () => {
          const response = await fetch(`${board.url}/api/queues`, {
            headers: { authorization: AUTHORIZATION },
          });
          return response.text();
        },
        { timeout: 30_000 },
      )
      .toMatch(/"millrace\.runs".*"millrace\.shards\.[a-z-]+"/);
    const { exitCode, stdout, stderr } = await board.stop();
    expect(exitCode).toBe(0);
    expect(stdout + stderr).not.toContain(CREDENTIALS.password);
  });
});

interface RunningBoard {
  /** Where it says that it listens. */
  readonly url: string;
  stop(): Promise<CliResult>;
}

async function startBoard(environment: Record<string, string>): Promise<RunningBoard> {
  let child: ChildProcess | undefined;
  const result = millrace(['board', '--host', '127.0.0.1'], {
    environment,
    onStart: (started) => {
      child = started;
    },
  });
  const listening = new Promise<string>((resolve) => {
    let said = '';
    child?.stderr?.on('data', (chunk: unknown) => {
      said += String(chunk);
      const [, url] = /"url":"(http:[^"]+)"/.exec(said) ?? [];
      if (url !== undefined) resolve(url);
    });
  });
  const ended = result.then(({ stderr }) => {
    throw new Error(`the board ended: ${stderr}`);
  });
  const url = await Promise.race([listening, ended]);
  return {
    url,
    stop: () => {
      child?.kill('SIGTERM');
      return result;
    },
  };
}
