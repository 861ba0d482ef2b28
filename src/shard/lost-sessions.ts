import { isMillraceError } from '../runtime/errors.ts';

/** Sessions that one try of a shard may lose and go on with a new one. */
const MAX_LOST = 1;

/** Counts the sessions that one try of a shard has lost. */
export class LostSessions {
  readonly #errors = new Set<unknown>();

  /** Whether the shard can go on after this error. All that is lost with one session is lost with the same error. */
  canGoOn(error: unknown): boolean {
    if (!isMillraceError(error, 'SESSION_LOST')) return false;
    this.#errors.add(error);
    return this.#errors.size <= MAX_LOST;
  }
}
