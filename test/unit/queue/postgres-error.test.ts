import { describe, expect, it } from 'vitest';
import { isOutage } from '../../../src/queue/outage.ts';
import { postgresError } from '../../../src/queue/postgres-backend.ts';

const URL_WITH_PASSWORD = new URL('postgres://user:secret@db.internal/queue');
const withCode = (code: string, message: string): Error => Object.assign(new Error(message), { code });

describe('postgresError', () => {
  it.each([
    ['that refuses the login', withCode('28P01', 'password authentication failed for user "user"')],
    ['without the database', withCode('3D000', 'database "queue" does not exist')],
  ])('says that a server %s cannot hold the queue', (_what, error) => {
    expect(postgresError(error, URL_WITH_PASSWORD)).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(`db.internal:5432 cannot hold the queue: ${error.message}`),
    });
  });

  it('says where nothing answers, and not the password', () => {
    const error = postgresError(withCode('ECONNREFUSED', ''), URL_WITH_PASSWORD);
    expect(error.code).toBe('QUEUE_UNAVAILABLE');
    expect(error.message).toContain('db.internal:5432 does not answer (ECONNREFUSED)');
    expect(error.message).not.toContain('secret');
  });
});

describe('isOutage', () => {
  it.each(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', '57P01', '57P03', '08006'])('holds for %s', (code) => {
    expect(isOutage(withCode(code, 'x'))).toBe(true);
  });

  it('holds for the end of a connection, and for nothing else', () => {
    expect(isOutage(new Error('Connection terminated unexpectedly'))).toBe(true);
    expect(isOutage(withCode('42P01', 'relation "job" does not exist'))).toBe(false);
    expect(isOutage('ECONNREFUSED')).toBe(false);
  });
});
