import { readFileSync } from 'node:fs';
import { MillraceError, systemCode } from '../src/runtime/errors.ts';

/**
 * Secrets come from the environment, or from the file that `<NAME>_FILE` names, as Docker and Kubernetes mount them;
 * never from the command line or a settings file. They are read where they are used and are no part of `Config`, which
 * is written to `run.json`. No error says what one is.
 */

const MIN_PASSWORD_CHARACTERS = 12;

export type SecretName = 'QUEUE_URL' | 'MILLRACE_BOARD_PASSWORD';

/**
 * The secret without the line break at its end; nothing where neither variable is set.
 *
 * @throws MillraceError CONFIG_INVALID if both are set, or if the file cannot be read or is empty.
 */
export function readSecret(name: SecretName, environment: NodeJS.ProcessEnv): string | undefined {
  const value = environment[name] || undefined;
  const file = environment[`${name}_FILE`] || undefined;
  if (file === undefined) return value;
  if (value !== undefined)
    throw new MillraceError('CONFIG_INVALID', `${name} and ${name}_FILE are both set; set one of them`);
  const secret = readSecretFile(name, file).replace(/\r?\n$/, '');
  if (secret === '')
    throw new MillraceError('CONFIG_INVALID', `${name}_FILE: ${file} is empty; write the secret into it`);
  return secret;
}

function readSecretFile(name: SecretName, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new MillraceError(
      'CONFIG_INVALID',
      `${name}_FILE: cannot read ${file} (${systemCode(error) ?? 'unreadable'}); it must be a file that this process may read`,
    );
  }
}

/**
 * The password of the board, which has no default.
 *
 * @throws MillraceError CONFIG_INVALID if there is none, or a short one.
 */
export function readBoardPassword(environment: NodeJS.ProcessEnv): string {
  const password = readSecret('MILLRACE_BOARD_PASSWORD', environment);
  if (password === undefined)
    throw new MillraceError(
      'CONFIG_INVALID',
      'the board shows every job, so it needs a password: set MILLRACE_BOARD_PASSWORD, or MILLRACE_BOARD_PASSWORD_FILE to a file that holds it',
    );
  const characters = password.length;
  if (characters < MIN_PASSWORD_CHARACTERS)
    throw new MillraceError(
      'CONFIG_INVALID',
      `MILLRACE_BOARD_PASSWORD has ${characters} characters; at least ${MIN_PASSWORD_CHARACTERS} are needed, such as those of "openssl rand -base64 24"`,
    );
  return password;
}
