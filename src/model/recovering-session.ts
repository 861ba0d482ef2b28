import { MillraceError, toError } from '../runtime/errors.ts';
import { isSessionGone } from './run-error.ts';
import type { GraphSignature, Session, Tensors } from './session.ts';

/** A session that is opened anew by the first run after it was lost, and on demand. */
export class RecoveringSession implements Session {
  readonly signature: GraphSignature;
  readonly #open: () => Promise<Session>;
  readonly #running = new Set<Promise<unknown>>();
  #current: Promise<Session>;

  constructor(first: Session, open: () => Promise<Session>) {
    this.signature = first.signature;
    this.#current = Promise.resolve(first);
    this.#open = open;
  }

  async run(feeds: Tensors): Promise<Tensors> {
    const opened = this.#current;
    const running = opened.then((session) => session.run(feeds));
    this.#running.add(running);
    try {
      return await running;
    } catch (error) {
      if (isSessionGone(error) && error.code !== 'PROCESS_UNUSABLE') this.#replace(opened);
      throw error;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Resolves when the new session is open; two at once would need the memory of two. */
  async recycle(): Promise<void> {
    this.#replace(this.#current);
    await this.#current;
  }

  async close(): Promise<void> {
    await this.#current.then(
      (session) => session.close(),
      // What could not be opened needs no closing.
      () => undefined,
    );
  }

  /** Once for each session, however many runs are lost with it. */
  #replace(lost: Promise<Session>): void {
    if (this.#current !== lost) return;
    const running = [...this.#running];
    const opening = lost
      .then(
        async (session) => {
          await Promise.allSettled(running);
          await session.close();
        },
        () => undefined,
      )
      .then(() => this.#open())
      .catch((error: unknown) => {
        throw new MillraceError(
          'SESSION_LOST',
          `the session could not be opened again: ${toError(error).message}`,
          { cause: error },
        );
      });
    // Whoever runs next hears of it.
    opening.catch(() => undefined);
    this.#current = opening;
  }
}
