import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './s3-server.ts';
import { debianProgram, findTool } from './tool.ts';

export interface RedisOptions {
  /** Log in as the user of `config/redis/users.acl`, which may do no more than the queue needs. */
  readonly acl?: boolean;
  /** Settings of redis.conf, over those that the queue wants: `{ 'maxmemory-policy': 'allkeys-lru' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Port to listen on; a free one where it is not given. */
  readonly port?: number;
}

export interface RedisServer {
  /** `redis://127.0.0.1:<port>`, with user and password where `acl` was asked for. */
  readonly url: string;
  readonly port: number;
  /** SIGKILL: what a crash leaves behind is on disk. */
  kill(): Promise<void>;
  /** Starts it again, on the same port and files. */
  restart(): Promise<void>;
  /** Ends the server and removes what it kept. */
  stop(): Promise<void>;
}

const ACL_TEMPLATE = new URL('../../config/redis/users.acl', import.meta.url);
const REDIS = debianProgram('redis-server', 'redis-server');

/** A real Redis as the queue wants it: append-only file, no eviction. It ends with this process, whatever ends that. */
export async function startRedis({
  acl = false,
  settings = {},
  port,
}: RedisOptions = {}): Promise<RedisServer> {
  const program = await findTool(REDIS);
  const folder = await mkdtemp(join(tmpdir(), 'millrace-redis-'));
  const usedPort = port ?? (await freePort());
  const password = randomBytes(20).toString('hex');
  const conf: Record<string, string> = {
    bind: '127.0.0.1',
    port: String(usedPort),
    dir: folder,
    appendonly: 'yes',
    save: '',
    'maxmemory-policy': 'noeviction',
    ...settings,
  };
  if (acl) {
    conf['aclfile'] = join(folder, 'users.acl');
    await writeFile(conf['aclfile'], await fillTemplate(password));
  }
  const args = Object.entries(conf).flatMap(([name, value]) => [`--${name}`, value]);
  const start = (): Promise<ChildProcess> => startProgram(program, args);
  let child = await start();
  const killAtExit = (): void => void child.kill('SIGKILL');
  process.once('exit', killAtExit);
  const kill = async (): Promise<void> => {
    const ended = hasEnded(child) ? undefined : once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  return {
    url: `redis://${acl ? `millrace:${password}@` : ''}127.0.0.1:${usedPort}`,
    port: usedPort,
    kill,
    restart: async () => void (child = await start()),
    stop: async () => {
      process.off('exit', killAtExit);
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function fillTemplate(password: string): Promise<string> {
  const template = await readFile(ACL_TEMPLATE, 'utf8');
  return template.replace(/#0{64}/, `#${createHash('sha256').update(password).digest('hex')}`);
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode !== null || signalCode !== null;

/** Resolves when it serves. */
function startProgram(program: string, args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`redis-server ended with ${code}: ${output}`)));
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: unknown) => {
        output = (output + String(chunk)).slice(-4_000);
        if (output.includes('Ready to accept connections')) resolve(child);
      });
    }
  });
}
