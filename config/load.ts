import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { MillraceError, systemCode, toError } from '../src/runtime/errors.ts';
import { type Config, configSchema } from './schema.ts';

const CONFIG_FILE = 'millrace.yaml';

export interface ConfigSources {
  /** Settings from the command line; those left out do not override. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly environment: NodeJS.ProcessEnv;
  /** A file to read instead of `millrace.yaml` in the working folder. */
  readonly file?: string;
}

/**
 * Defaults, then the file, then the environment, then flags; parsed once and frozen.
 *
 * @throws MillraceError CONFIG_INVALID; names the setting, where it came from, and what is allowed.
 */
export function loadConfig({ flags, environment, file }: ConfigSources): Config {
  const layers = [
    { origin: file ?? CONFIG_FILE, settings: readConfigFile(file) },
    { origin: 'environment', settings: environmentSettings(environment) },
    { origin: 'command line', settings: defined(flags) },
  ];
  const merged: Record<string, unknown> = Object.assign({}, ...layers.map(({ settings }) => settings));
  const parsed = configSchema.safeParse(merged);
  if (parsed.success) return Object.freeze(parsed.data);
  const problems = parsed.error.issues.flatMap((issue) =>
    settingsOf(issue).map((name) => {
      const layer = layers.findLast(({ settings }) => name in settings);
      const value = name in merged ? ` ${JSON.stringify(merged[name])}` : '';
      return `  ${nameAt(layer?.origin, name)}${value}: ${messageOf(issue)}`;
    }),
  );
  throw new MillraceError('CONFIG_INVALID', `invalid settings:\n${problems.join('\n')}`);
}

function settingsOf(issue: z.core.$ZodIssue): string[] {
  return issue.code === 'unrecognized_keys' ? issue.keys : [String(issue.path[0])];
}

function messageOf(issue: z.core.$ZodIssue): string {
  return issue.code === 'unrecognized_keys'
    ? `no such setting; there are ${Object.keys(configSchema.shape).join(', ')}`
    : issue.message;
}

/** The setting as the user wrote it. */
function nameAt(origin: string | undefined, name: string): string {
  if (origin === 'command line') return `--${kebab(name)}`;
  if (origin === 'environment') return environmentName(name);
  return origin ? `${name} in ${origin}` : name;
}

function readConfigFile(file: string | undefined): Record<string, unknown> {
  const name = file ?? CONFIG_FILE;
  try {
    const value: unknown = parse(readFileSync(name, 'utf8'));
    return z.record(z.string(), z.unknown()).parse(value ?? {});
  } catch (error) {
    if (file === undefined && systemCode(error) === 'ENOENT') return {};
    throw new MillraceError(
      'CONFIG_INVALID',
      `cannot read the configuration ${name}: ${toError(error).message}`,
      {
        cause: error,
      },
    );
  }
}

function environmentSettings(environment: NodeJS.ProcessEnv): Record<string, unknown> {
  const names = Object.keys(configSchema.shape);
  const entries = names.map((name) => [name, environment[environmentName(name)]] as const);
  return Object.fromEntries(
    entries
      .filter(([, text]) => text !== undefined && text !== '')
      .map(([name, text]) => [name, scalar(text!)]),
  );
}

/** `true`, `false` and numbers; the rest is text. */
function scalar(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  return text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text);
}

const defined = (record: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));

const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

const environmentName = (name: string): string =>
  `MILLRACE_${kebab(name).replaceAll('-', '_').toUpperCase()}`;
