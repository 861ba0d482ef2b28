import { describe, expect, it } from 'vitest';
import { assertUsableRedis } from '../../../src/queue/redis-facts.ts';

const info = (facts: Record<string, string>): string =>
  ['# Server', ...Object.entries(facts).map(([name, value]) => `${name}:${value}`)].join('\r\n');

const GOOD = { redis_version: '7.2.4', maxmemory_policy: 'noeviction', cluster_enabled: '0' };

describe('assertUsableRedis', () => {
  it.each([
    ['as it should be', GOOD],
    ['just new enough', { ...GOOD, redis_version: '6.2.0' }],
    ['a major version that sorts before 6 as text', { ...GOOD, redis_version: '10.0.0' }],
    ['that does not tell', {}],
  ])('takes one %s', (_what, facts) => {
    expect(() => assertUsableRedis(info(facts), 'host:6379')).not.toThrow();
  });

  it.each([
    ['too old', { ...GOOD, redis_version: '6.0.16' }, /host:6379 is version 6\.0\.16; .* 6\.2/],
    ['far too old', { ...GOOD, redis_version: '5.9.9' }, /5\.9\.9/],
    [
      'that evicts',
      { ...GOOD, maxmemory_policy: 'volatile-lru' },
      /volatile-lru.*CONFIG SET maxmemory-policy/,
    ],
    ['a cluster', { ...GOOD, cluster_enabled: '1' }, /host:6379 is a cluster/],
  ])('refuses one %s', (_what, facts, message) => {
    expect(() => assertUsableRedis(info(facts), 'host:6379')).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) }),
    );
  });
});
