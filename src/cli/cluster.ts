/** What the commands of a cluster have in common: where its queue and its registry are. */
import type { Config } from '../../config/schema.ts';
import { readSecret } from '../../config/secrets.ts';
import type { Cluster } from '../flow/enqueue.ts';
import { openQueue } from '../queue/connection.ts';
import { StorageRegistry } from '../run/registry.ts';
import { MillraceError } from '../runtime/errors.ts';
import type { Lifetime } from '../runtime/lifetime.ts';
import type { Logger } from '../runtime/log.ts';
import { openStorage } from '../storage/open.ts';

/** The commands of a cluster read these, and say so in their help. */
export const CLUSTER_HELP = `
Where the cluster is:
  QUEUE_URL            redis://, rediss:// or postgres:// (or QUEUE_URL_FILE: a file that holds it)
  MILLRACE_REGISTRY    storage URI where runs are registered, the same for all processes: s3://bucket/millrace/
  AWS_*                credentials, region and endpoint of S3, as the AWS SDK reads them`;

/**
 * Connects to the deployment that the environment names; the connection ends with `lifetime`.
 *
 * @throws MillraceError CONFIG_INVALID where QUEUE_URL or the registry is not set, QUEUE_UNAVAILABLE.
 */
export async function openCluster(
  command: string,
  config: Config,
  log: Logger,
  lifetime: Lifetime,
): Promise<Cluster> {
  const url = readSecret('QUEUE_URL', process.env);
  if (url === undefined)
    throw new MillraceError(
      'CONFIG_INVALID',
      `"millrace ${command}" works with other processes, which the embedded queue cannot: set QUEUE_URL (redis://host:6379), or use "millrace run"`,
    );
  if (config.registry === undefined)
    throw new MillraceError(
      'CONFIG_INVALID',
      `"millrace ${command}" needs the registry, by which the processes of a cluster find a run: set MILLRACE_REGISTRY (s3://bucket/millrace/), the same for all of them`,
    );
  const registry = new StorageRegistry(await openStorage(config.registry));
  const queue = await openQueue({
    url,
    log,
    lockDurationMs: config.lockSeconds * 1000,
    stalledIntervalMs: config.stalledSeconds * 1000,
  });
  lifetime.onEnd(() => queue.close());
  return { queue, registry };
}
