import { mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readBoardPassword, readSecret } from '../../../config/secrets.ts';

const PASSWORD = 'correct horse battery';

function secretFile(content: string): string {
  const file = path.join(mkdtempSync(path.join(os.tmpdir(), 'millrace-secret-')), 'secret');
  writeFileSync(file, content);
  return file;
}

describe('a secret', () => {
  it('comes from its variable', () => {
    expect(readSecret('QUEUE_URL', { QUEUE_URL: 'redis://h' })).toBe('redis://h');
  });

  it('comes from the file of its variable, without the last line break', () => {
    expect(readSecret('QUEUE_URL', { QUEUE_URL_FILE: secretFile('redis://h\n') })).toBe('redis://h');
    expect(readSecret('QUEUE_URL', { QUEUE_URL_FILE: secretFile(' a b \r\n') })).toBe(' a b ');
  });

  it('is nothing where neither is set', () => {
    expect(readSecret('QUEUE_URL', {})).toBeUndefined();
    expect(readSecret('QUEUE_URL', { QUEUE_URL: '', QUEUE_URL_FILE: '' })).toBeUndefined();
  });

  it.each([
    ['both', () => ({ QUEUE_URL: PASSWORD, QUEUE_URL_FILE: secretFile(PASSWORD) }), /both set/],
    ['no file', () => ({ QUEUE_URL_FILE: '/no/such/file' }), /cannot read \/no\/such\/file \(ENOENT\)/],
    ['an empty file', () => ({ QUEUE_URL_FILE: secretFile('\n') }), /is empty/],
  ])('is refused with %s', (_name, environment, message) => {
    expect(() => readSecret('QUEUE_URL', environment())).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) }),
    );
  });
});

describe("the board's password", () => {
  it('has no default', () => {
    expect(() => readBoardPassword({})).toThrow(/set MILLRACE_BOARD_PASSWORD/);
  });

  it('has at least 12 characters, and is not in the error', () => {
    expect(() => readBoardPassword({ MILLRACE_BOARD_PASSWORD: 'hunter2hunt' })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
    );
    expect(readBoardPassword({ MILLRACE_BOARD_PASSWORD: PASSWORD })).toBe(PASSWORD);
  });
});
