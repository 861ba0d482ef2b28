import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { openQueue } from '../../src/queue/connection.ts';
import { startPostgres } from '../services/postgres.ts';
import { startRedis } from '../services/redis.ts';
import { freePort } from '../services/s3-server.ts';

async function refusal(url: string): Promise<unknown> {
  return openQueue({ url }).then(
    () => 'it opened',
    (error: unknown) => error,
  );
}

describe('openQueue', () => {
  it.each(['redis', 'rediss', 'postgres', 'postgresql'])(
    'says where no %s answers, and not the password',
    async (scheme) => {
      const port = await freePort();
      expect(await refusal(`${scheme}://user:secret@127.0.0.1:${port}/0`)).toMatchObject({
        code: 'QUEUE_UNAVAILABLE',
        message: expect.stringContaining(`127.0.0.1:${port}`),
      });
      expect(String(await refusal(`${scheme}://user:secret@127.0.0.1:${port}/0`))).not.toContain('secret');
    },
  );

  it('refuses a Redis that may throw jobs away, with the command that changes it', async () => {
    const redis = await startRedis({ settings: { 'maxmemory-policy': 'allkeys-lru' } });
    expect(await refusal(redis.url)).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/allkeys-lru.*CONFIG SET maxmemory-policy noeviction/s),
    });
    await redis.stop();
  });

  it('refuses a Redis cluster', async () => {
    const redis = await startRedis({ settings: { 'cluster-enabled': 'yes' } });
    expect(await refusal(redis.url)).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('cluster'),
    });
    await redis.stop();
  });

  it.each(['millrace:wrong@', ''])('says that Redis refuses a login as "%s"', async (login) => {
    const redis = await startRedis({ acl: true });
    const error = await refusal(`redis://${login}127.0.0.1:${redis.port}`);
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('refuses user') });
    expect(String(error)).not.toContain('wrong');
    await redis.stop();
  });

  it('opens PostgreSQL whose schema is there for a user who may not make it', async () => {
    const postgres = await startPostgres();
    const first = await openQueue({ url: postgres.url });
    await first.close();
    const admin = new Client(postgres.url);
    await admin.connect();
    await admin.query(`CREATE ROLE app LOGIN;
      GRANT USAGE ON SCHEMA bullmq TO app;
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA bullmq TO app;
      GRANT USAGE ON ALL SEQUENCES IN SCHEMA bullmq TO app`);
    await admin.end();
    const app = await openQueue({ url: postgres.url.replace('millrace@', 'app@') });
    expect(app.kind).toBe('postgres');
    await app.ping();
    await app.close();
    expect(await refusal(postgres.url.replace(/postgres$/, 'nowhere'))).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('nowhere'),
    });
    await postgres.stop();
  });
});
