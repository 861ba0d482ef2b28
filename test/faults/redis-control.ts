/** What a test does to Redis behind the back of the queue. Key names: BullMQ's, with its own prefix. */
import { Redis } from 'ioredis';
import { shardsQueue } from '../../src/queue/jobs.ts';
import type { RedisServer } from '../services/redis.ts';

async function withRedis<T>({ url }: RedisServer, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url);
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

/** FLUSHALL: Redis forgets every job of every run. */
export const flushQueue = (server: RedisServer): Promise<void> =>
  withRedis(server, async (redis) => void (await redis.flushall()));

/** Shards of a model that this Redis has delivered, and whose end it was told. */
export const completedShards = (server: RedisServer, model: string): Promise<number> =>
  withRedis(server, (redis) => redis.zcard(`bull:${shardsQueue(model)}:completed`));

/** Takes the lock of every shard's job that is at work away, unless `stolen` has its id, and notes that. */
export const stealLocks = (server: RedisServer, model: string, stolen: Set<string>): Promise<void> =>
  withRedis(server, async (redis) => {
    const queue = `bull:${shardsQueue(model)}`;
    for (const id of await redis.lrange(`${queue}:active`, 0, -1)) {
      if (stolen.has(id)) continue;
      if ((await redis.del(`${queue}:${id}:lock`)) === 1) stolen.add(id);
    }
  });

/** Redis forgets a share of a model's shards that wait, as a restart without its last second does. Returns how many. */
export const loseJobs = (
  server: RedisServer,
  model: string,
  share: number,
  next: () => number,
): Promise<number> =>
  withRedis(server, async (redis) => {
    const queue = `bull:${shardsQueue(model)}`;
    const ids = (await redis.lrange(`${queue}:wait`, 0, -1)).filter(() => next() < share);
    let lost = 0;
    for (const id of ids) {
      // One that a worker has taken meanwhile stays.
      if ((await redis.lrem(`${queue}:wait`, 0, id)) === 0) continue;
      await redis.del(`${queue}:${id}`);
      lost += 1;
    }
    return lost;
  });
