import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './s3-server.ts';
import { debianProgram, findTool } from './tool.ts';

export interface PostgresServer {
  /** `postgres://millrace@127.0.0.1:<port>/postgres`, of a user that may do anything. */
  readonly url: string;
  readonly port: number;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
  /** Starts it again, on the same port and files. */
  restart(): Promise<void>;
  /** Ends the server and removes what it kept. */
  stop(): Promise<void>;
}

/** Where Debian puts the server's programs, which are not on the PATH there. */
const FOLDERS = ['18', '17', '16', '15', '14', '13'].map((version) => `/usr/lib/postgresql/${version}/bin`);

interface Identity {
  readonly uid?: number;
  readonly gid?: number;
}

/** A real PostgreSQL on new files. It ends with this process, whatever ends that. */
export async function startPostgres(): Promise<PostgresServer> {
  const initdb = await findTool(debianProgram('initdb', 'postgresql', FOLDERS));
  const program = join(dirname(initdb), 'postgres');
  const identity = await serverIdentity();
  const folder = await mkdtemp(join(tmpdir(), 'millrace-postgres-'));
  if (identity.uid !== undefined && identity.gid !== undefined) {
    await chown(folder, identity.uid, identity.gid);
  }
  const data = join(folder, 'data');
  const initArgs = [
    '--pgdata',
    data,
    '--username',
    'millrace',
    '--auth',
    'trust',
    '--no-sync',
    '--encoding',
    'UTF8',
  ];
  await promisify(execFile)(initdb, initArgs, { ...identity, cwd: folder });

  const port = await freePort();
  const args = ['-D', data, '-h', '127.0.0.1', '-p', String(port), '-k', folder];
  const start = (): Promise<ChildProcess> => startProgram(program, args, { ...identity, cwd: folder });
  let child = await start();
  // SIGQUIT is the server's own immediate end: its processes end with it.
  const killAtExit = (): void => void child.kill('SIGQUIT');
  process.once('exit', killAtExit);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
    child.kill(signal);
    await ended;
  };
  return {
    url: `postgres://millrace@127.0.0.1:${port}/postgres`,
    port,
    kill: () => end('SIGQUIT'),
    restart: async () => void (child = await start()),
    stop: async () => {
      process.off('exit', killAtExit);
      await end('SIGQUIT');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** PostgreSQL refuses to run as root; its Debian package brings a user. */
async function serverIdentity(): Promise<Identity> {
  if (process.getuid?.() !== 0) return {};
  const id = async (what: string): Promise<number> =>
    Number((await promisify(execFile)('id', [what, 'postgres'])).stdout);
  return { uid: await id('-u'), gid: await id('-g') };
}

/** Resolves when it serves. */
function startProgram(
  program: string,
  args: readonly string[],
  options: Identity & { readonly cwd: string },
): Promise<ChildProcess> {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`postgres ended with ${code}: ${output}`)));
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: unknown) => {
        output = (output + String(chunk)).slice(-4_000);
        if (output.includes('ready to accept connections')) resolve(child);
      });
    }
  });
}
