import { describe, expect, it } from 'vitest';
import { describeError, redactText, redactValue } from '../../../src/runtime/redact.ts';

describe('a text', () => {
  it.each([
    ['redis://default:hunter2@redis:6379/0', 'redis://***@redis:6379/0'],
    ['rediss://:p/ss#w@rd@redis:6379', 'rediss://***@redis:6379'],
    ['postgres://u:p%40ss@db/queue?sslmode=require', 'postgres://***@db/queue?sslmode=require'],
    ['see https://user:pass@host/a and http://host/b', 'see https://***@host/a and http://host/b'],
    [
      'GET https://b.s3.amazonaws.com/k.jpg?X-Amz-Credential=AKIAABCDEFGHIJKLMNOP%2F1&X-Amz-Signature=0f0f&x=1',
      'GET https://b.s3.amazonaws.com/k.jpg?X-Amz-Credential=***&X-Amz-Signature=***&x=1',
    ],
    [
      '?AWSAccessKeyId=AKIAABCDEFGHIJKLMNOP&Signature=vjby%3D&Expires=1',
      '?AWSAccessKeyId=***&Signature=***&Expires=1',
    ],
    ['https://a.blob/x?sv=1&sig=abc%3D', 'https://a.blob/x?sv=1&sig=***'],
    ['the key AKIAIOSFODNN7EXAMPLE is not valid', 'the key *** is not valid'],
    ['AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG', 'AWS_SECRET_ACCESS_KEY=***'],
    ['{"password":"hunter2","n":1}', '{"password":"***","n":1}'],
    ['Authorization: Basic dXNlcjpwYXNz', 'Authorization: Basic ***'],
    [
      'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261121/us-east-1, Signature=fe5f80f7',
      'AWS4-HMAC-SHA256 Credential=***, Signature=***',
    ],
  ])('%s', (text, redacted) => {
    expect(redactText(text)).toBe(redacted);
    expect(redactText(redacted)).toBe(redacted);
  });

  it.each([
    's3://bucket/photos/cat@2x.png',
    'a@b.example wrote //share/x',
    'https://host/path?size=2&page=3',
  ])('stays where there is no secret: %s', (text) => {
    expect(redactText(text)).toBe(text);
  });
});

describe('a value', () => {
  it('loses fields by their name, at any depth', () => {
    const value = {
      run: 'a',
      s3: { secretAccessKey: 'x', sessionToken: 'y', region: 'r' },
      headers: { Cookie: 'c' },
    };
    expect(redactValue(value)).toEqual({
      run: 'a',
      s3: { secretAccessKey: '***', sessionToken: '***', region: 'r' },
      headers: { Cookie: '***' },
    });
  });

  it('keeps numbers, lists, dates and empty fields', () => {
    const at = new Date(0);
    expect(redactValue({ n: 1, list: ['a', 2n], at, password: undefined })).toEqual({
      n: 1,
      list: ['a', '2'],
      at,
      password: undefined,
    });
  });

  it('ends where it contains itself', () => {
    const ring: Record<string, unknown> = {};
    ring['ring'] = ring;
    expect(JSON.stringify(redactValue(ring, 3))).toBe('{"ring":{"ring":{"ring":"***"}}}');
  });
});

describe('an error', () => {
  it('keeps kind, code, message and causes, and nothing that hangs on it', () => {
    const cause = Object.assign(new Error('WRONGPASS for redis://u:p@h'), {
      command: { name: 'auth', args: ['u', 'p'] },
    });
    const error = Object.assign(new TypeError('no queue', { cause }), { code: 'E_QUEUE', $response: {} });
    const described = describeError(error);
    expect(described).toMatchObject({
      type: 'TypeError',
      code: 'E_QUEUE',
      message: 'no queue',
      cause: { type: 'Error', message: 'WRONGPASS for redis://***@h' },
    });
    expect(Object.keys(described.cause ?? {}).toSorted()).toEqual(['message', 'stack', 'type']);
    expect(described).not.toHaveProperty('$response');
  });

  it('may have a cause that is none, or itself', () => {
    expect(describeError(new Error('a', { cause: 'text' })).cause).toEqual({
      type: 'Error',
      message: 'text',
    });
    const ring = new Error('ring');
    ring.cause = ring;
    expect(JSON.stringify(describeError(ring)).match(/"message":"ring"/g)).toHaveLength(5);
  });
});
