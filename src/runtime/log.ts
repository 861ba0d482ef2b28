import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/** JSON lines on stderr: stdout belongs to a command's result. */
export function createLogger(level: string): Logger {
  return pino({ level, base: null }, pino.destination({ dest: 2, sync: true }));
}
