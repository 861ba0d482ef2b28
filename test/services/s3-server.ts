import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';

/** A running S3 server, and how to reach it. */
export interface S3Server {
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string;
  /** The AWS SDK's own variables: assign them to `process.env`, or give them to a child process. */
  readonly environment: Readonly<Record<(typeof VARIABLES)[number], string>>;
  createBucket(name: string): Promise<void>;
  /** Ends the server and removes what it kept. */
  stop(): Promise<void>;
}

const VARIABLES = [
  'AWS_ENDPOINT_URL_S3',
  'AWS_REGION',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
] as const;
const REGION = 'us-east-1';
const READY_TIMEOUT_MS = 60_000;

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export const randomCredentials = (): Credentials => ({
  accessKeyId: randomBytes(10).toString('hex').toUpperCase(),
  secretAccessKey: randomBytes(20).toString('hex'),
});

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The probe for a port has none.');
  server.close();
  await once(server, 'close');
  return address.port;
}

export interface S3Program {
  readonly program: string;
  readonly args: readonly string[];
  readonly port: number;
  readonly credentials: Credentials;
  readonly environment: NodeJS.ProcessEnv;
  readonly cleanUp: () => Promise<void>;
}

/** Start the program and wait until it answers. It ends with this process, whatever ends that. */
export async function startS3Server(start: S3Program): Promise<S3Server> {
  const { port, credentials } = start;
  const child = spawn(start.program, start.args, {
    env: { ...process.env, ...start.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const stop = async (): Promise<void> => {
    process.off('exit', kill);
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await Promise.race([once(child, 'exit'), sleep(5_000).then(kill)]);
    }
    await start.cleanUp();
  };
  const endpoint = `http://127.0.0.1:${port}`;
  try {
    await waitUntilItAnswers(child, endpoint);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    endpoint,
    environment: {
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
    async createBucket(name) {
      const client = new S3Client({ endpoint, region: REGION, credentials, forcePathStyle: true });
      try {
        await client.send(new CreateBucketCommand({ Bucket: name }));
      } finally {
        client.destroy();
      }
    },
    stop,
  };
}

async function waitUntilItAnswers(child: ChildProcess, endpoint: string): Promise<void> {
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => (output = (output + String(chunk)).slice(-4_000)));
  const spawnError = new Promise<never>((_, reject) => child.once('error', reject));
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`The S3 server ended with ${child.exitCode}: ${output}`);
    if (Date.now() > deadline) throw new Error(`The S3 server did not answer in time: ${output}`);
    const answer = await Promise.race([spawnError, fetch(endpoint).catch(() => undefined)]);
    if (answer !== undefined) return void (await answer.arrayBuffer());
    await sleep(50);
  }
}
