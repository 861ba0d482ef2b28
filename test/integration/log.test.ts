import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

const CHILD = fileURLToPath(new URL('log-hostile.mjs', import.meta.url));

const SECRETS = {
  password: 'hunter2p@ss"w/rd',
  signature: '5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretKey: 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY',
};

const logLine = z.looseObject({ level: z.number(), msg: z.string() });

let output = '';
let lines: z.infer<typeof logLine>[] = [];

beforeAll(async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [CHILD, ...Object.values(SECRETS)]);
  output = stdout + stderr;
  lines = stderr
    .trimEnd()
    .split('\n')
    .map((line) => logLine.parse(JSON.parse(line)));
});

describe('the log of a process', () => {
  it.each(Object.entries(SECRETS))('has no %s in it', (_name, secret) => {
    expect(output).not.toContain(secret);
    expect(output).not.toContain(JSON.stringify(secret).slice(1, -1));
  });

  it('has not even a part of the password', () => {
    expect(output).not.toMatch(/hunter2|w\/rd/);
  });

  it('is one line of JSON for each entry', () => {
    expect(lines).toHaveLength(12);
    expect(lines.at(-1)).toMatchObject({
      key: 'a "quoted" key\n{"level":50}',
      nul: '\0',
      msg: 'a line break',
    });
  });

  it('still says what went wrong', () => {
    expect(lines[0]).toMatchObject({
      err: {
        type: 'Error',
        code: 'AccessDenied',
        message:
          '403 for https://bucket.s3.amazonaws.com/photo.jpg?X-Amz-Credential=***&X-Amz-Security-Token=***&X-Amz-Signature=***',
        cause: { message: 'WRONGPASS at redis://***@redis.example:6379' },
      },
      msg: 'an error with a request and a cause',
    });
  });

  it('names run, shard and attempt', () => {
    expect(lines[9]).toMatchObject({ run: 'run-1', shard: 7, attempt: 2 });
  });
});
