import { systemCode } from '../runtime/errors.ts';

/** The system's codes of a lost connection, and PostgreSQL's of a server that stops, starts or cannot be reached. */
const CODES = /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|57P0|08)/;
/** What node-postgres says without a code. */
const MESSAGES = /^(Connection terminated|timeout exceeded when trying to connect)/;

/** Whether an error says no more than that the store is out of reach for now. */
export const isOutage = (error: unknown): boolean =>
  error instanceof Error && (CODES.test(systemCode(error) ?? '') || MESSAGES.test(error.message));
