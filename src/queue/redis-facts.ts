import { MillraceError } from '../runtime/errors.ts';

/** The oldest Redis whose commands BullMQ uses without a warning. */
const MINIMUM_VERSION = [6, 2] as const;

/**
 * Whether a Redis, as its `INFO` describes it, may hold the queue.
 *
 * @param place host and port, for the message.
 * @throws MillraceError CONFIG_INVALID: a cluster, too old, or one that may throw jobs away.
 */
export function assertUsableRedis(info: string, place: string): void {
  const facts = parseInfo(info);
  if (facts.get('cluster_enabled') === '1') {
    throw new MillraceError(
      'CONFIG_INVALID',
      `QUEUE_URL: the Redis at ${place} is a cluster, over which the queue cannot be spread: ` +
        'give it a Redis of its own, with replicas if you like',
    );
  }
  const version = facts.get('redis_version') ?? 'unknown';
  if (isOlder(version)) {
    throw new MillraceError(
      'CONFIG_INVALID',
      `QUEUE_URL: the Redis at ${place} is version ${version}; the queue needs ${MINIMUM_VERSION.join('.')} or newer`,
    );
  }
  const policy = facts.get('maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction') {
    throw new MillraceError(
      'CONFIG_INVALID',
      `QUEUE_URL: the Redis at ${place} throws keys away when its memory is full (maxmemory-policy ${policy}), and ` +
        'with them jobs. Set it to noeviction: "redis-cli CONFIG SET maxmemory-policy noeviction", and in redis.conf',
    );
  }
}

/** `name:value` lines, and `# Section` lines between them. */
function parseInfo(info: string): ReadonlyMap<string, string> {
  const facts = new Map<string, string>();
  for (const line of info.split(/\r?\n/)) {
    const [, name, value] = /^(\w+):(.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) facts.set(name, value);
  }
  return facts;
}

function isOlder(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (Number.isNaN(major) || Number.isNaN(minor)) return false;
  return major < MINIMUM_VERSION[0] || (major === MINIMUM_VERSION[0] && minor < MINIMUM_VERSION[1]);
}
