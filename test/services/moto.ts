import { freePort, randomCredentials, type S3Server, startS3Server } from './s3-server.ts';
import { findTool, pythonProgram } from './tool.ts';

const VERSION = '5.2.5';

/** moto, which keeps objects in memory under whatever key they have. It checks no signatures. */
export async function startMoto(): Promise<S3Server> {
  const program = await findTool(pythonProgram('moto_server', `moto[server,s3]==${VERSION}`));
  const port = await freePort();
  return startS3Server({
    program,
    args: ['-H', '127.0.0.1', '-p', String(port)],
    port,
    credentials: randomCredentials(),
    environment: {},
    cleanUp: async () => {},
  });
}
