import { type Logger, pino } from 'pino';
import { describeError, redactFields, redactText } from './redact.ts';

export type { Logger } from 'pino';

/** What a line about a shard says it is about. */
export interface JobBindings {
  /** The run's id. */
  readonly run: string;
  readonly shard?: number;
  /** Which try this is, from 1. */
  readonly attempt?: number;
}

/**
 * JSON lines on stderr: stdout belongs to a command's result. No secret gets through: fields are hidden by name and
 * errors cut down before a line is made, and each text of the finished line is searched once more, which also reaches
 * the message and the bindings of child loggers.
 */
export function createLogger(level: string): Logger {
  return pino(
    {
      level,
      base: null,
      serializers: { err: (error: unknown) => (error instanceof Error ? describeError(error) : error) },
      formatters: { log: (fields) => redactFields(fields) },
      hooks: { streamWrite: redactLine },
    },
    pino.destination({ dest: 2, sync: true }),
  );
}

/** A logger whose lines carry the run, the shard and the attempt. */
export const jobLogger = (log: Logger, bindings: JobBindings): Logger => log.child({ ...bindings });

const JSON_STRING = /"(?:[^"\\]|\\.)*"/g;

/** Redacts each text of a JSON line as it was before it was quoted, so that the line stays JSON. */
const redactLine = (line: string): string =>
  line.replace(JSON_STRING, (quoted) => {
    const text: unknown = JSON.parse(quoted);
    if (typeof text !== 'string') return quoted;
    const redacted = redactText(text);
    return redacted === text ? quoted : JSON.stringify(redacted);
  });
