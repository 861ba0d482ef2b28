import type { ControllerHandlerReturnType } from '@bull-board/api/typings/app';
import { redactFields, redactText, redactValue } from '../runtime/redact.ts';

/** Ids, and nothing that could be a place, a key or a credential. */
const ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

/**
 * The data of a job as the board shows it. A job of ours holds ids and counts only; what somebody else has put into the
 * queue is not shown.
 */
export function redactJobData(data: unknown): unknown {
  if (typeof data === 'string') return ID.test(data) ? redactText(data) : '***';
  if (Array.isArray(data)) return data.map(redactJobData);
  if (typeof data !== 'object' || data === null) return data;
  const shown = Object.entries(data).map(([name, value]) => [
    ID.test(name) ? name : '***',
    redactJobData(value),
  ]);
  return redactValue(Object.fromEntries(shown));
}

/** A run holds groups, a group shards, and each level of a flow is two of JSON. */
const MAX_ANSWER_DEPTH = 32;

type Answer = ControllerHandlerReturnType['body'];

/** An answer of Bull Board's: failure reasons, logs and options are in it, for which it has no formatter. */
export function redactAnswer(body: Answer): Answer {
  if (typeof body === 'string') return redactText(body);
  if (Array.isArray(body)) return body.map((item) => redactValue(item, MAX_ANSWER_DEPTH));
  return redactFields(body, MAX_ANSWER_DEPTH);
}
