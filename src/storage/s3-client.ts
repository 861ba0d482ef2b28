import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { S3Client } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';

/** The first try included. With adaptive backoff the last comes some 20 seconds after the first. */
const MAX_ATTEMPTS = 8;

/** More than fetching, listing and uploading have under way at once in one process. */
const MAX_SOCKETS = 128;

const CONNECTION_TIMEOUT_MS = 5_000;

/** How long a connection may be silent, while a request waits or a body flows. */
const SOCKET_TIMEOUT_MS = 60_000;

const clients = new Map<string, S3Client>();

/**
 * The one client of this process for what `environment` names. Nobody has to close it: Node does not wait for idle
 * connections when a process ends.
 */
export function sharedS3Client(environment: NodeJS.ProcessEnv): S3Client {
  const id = JSON.stringify([customEndpoint(environment), environment['AWS_REGION']]);
  const client = clients.get(id) ?? createS3Client(environment);
  clients.set(id, client);
  return client;
}

/**
 * A client of its own. Endpoint, region and credentials are what the AWS SDK finds in the process's environment, its
 * configuration files and the machine's role; `environment` only tells whether the endpoint is Amazon's.
 */
export function createS3Client(environment: NodeJS.ProcessEnv): S3Client {
  const options = { keepAlive: true, maxSockets: MAX_SOCKETS };
  return new S3Client({
    retryMode: 'adaptive',
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      socketTimeout: SOCKET_TIMEOUT_MS,
      httpAgent: new HttpAgent(options),
      httpsAgent: new HttpsAgent(options),
    }),
    // With it, the handler opens a new connection for every large body.
    expectContinueHeader: false,
    ...(customEndpoint(environment) === undefined ? {} : compatibleServer(environment)),
  });
}

/** Servers other than Amazon's seldom have a host name for each bucket, and not all know the newer checksums. */
function compatibleServer(environment: NodeJS.ProcessEnv): object {
  return {
    forcePathStyle: true,
    ...(environment['AWS_REQUEST_CHECKSUM_CALCULATION'] === undefined && {
      requestChecksumCalculation: 'WHEN_REQUIRED',
    }),
    ...(environment['AWS_RESPONSE_CHECKSUM_VALIDATION'] === undefined && {
      responseChecksumValidation: 'WHEN_REQUIRED',
    }),
  };
}

function customEndpoint(environment: NodeJS.ProcessEnv): string | undefined {
  if (environment['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS']?.toLowerCase() === 'true') return undefined;
  return environment['AWS_ENDPOINT_URL_S3'] || environment['AWS_ENDPOINT_URL'] || undefined;
}
