import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, randomCredentials, type S3Server, startS3Server } from './s3-server.ts';
import { findTool, goProgram } from './tool.ts';

const VERSION = 'v1.8.0';

/**
 * Versity S3 Gateway on a new folder: a real S3 server with atomic conditional writes. Keys are paths underneath, so
 * it folds `x//y` and `a/../b`, and keeps no segment longer than 255 bytes.
 */
export async function startVersityGateway(): Promise<S3Server> {
  const program = await findTool(
    goProgram('versitygw', 'github.com/versity/versitygw/cmd/versitygw', VERSION),
  );
  const folder = await mkdtemp(join(tmpdir(), 'millrace-versitygw-'));
  const data = join(folder, 'data');
  await mkdir(data);
  const [port, credentials] = [await freePort(), randomCredentials()];
  return startS3Server({
    program,
    args: ['--port', `127.0.0.1:${port}`, '--quiet', 'posix', data],
    port,
    credentials,
    environment: { ROOT_ACCESS_KEY: credentials.accessKeyId, ROOT_SECRET_KEY: credentials.secretAccessKey },
    cleanUp: () => rm(folder, { recursive: true, force: true }),
  });
}
