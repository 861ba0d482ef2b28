import type { Logger } from '../runtime/log.ts';
import type { ShardNote, ShardNotes } from './shard-notes.ts';

/** An image that ended its process so often while it was run alone is not run again. */
export const MAX_CRASHES_ALONE = 2;

/**
 * Which images of a shard may be to blame for a death of the process. Every batch is noted before it starts, so that
 * whoever takes the shard after a crash knows the images that were under way. Notes that cannot be read or written are
 * logged and done without: they save work after a crash, and are no part of the result.
 */
export class Suspects {
  readonly #notes: ShardNotes;
  readonly #log: Logger;
  readonly #suspects: Set<number>;
  readonly #underWay = new Set<number>();
  readonly #crashes: Map<number, number>;
  #written: Promise<void> = Promise.resolve();

  private constructor(notes: ShardNotes, log: Logger, found: ShardNote | undefined) {
    this.#notes = notes;
    this.#log = log;
    this.#suspects = new Set(found?.suspects);
    this.#crashes = new Map(found?.alone);
  }

  /** Those whom the last worker has noted. */
  static async read(notes: ShardNotes, log: Logger): Promise<Suspects> {
    const found = await notes.read().catch((err: unknown) => {
      log.warn({ err }, 'what the last worker noted cannot be read');
      return undefined;
    });
    return new Suspects(notes, log, found);
  }

  has(position: number): boolean {
    return this.#suspects.has(position) || this.#crashes.has(position);
  }

  /** Runs of this image alone that did not end. */
  crashes(position: number): number {
    return this.#crashes.get(position) ?? 0;
  }

  /** Resolves when it is noted that these images run together. */
  async begin(positions: readonly number[]): Promise<void> {
    for (const position of positions) this.#underWay.add(position);
    await this.#write();
  }

  /** Told by the next note. */
  end(positions: readonly number[]): void {
    for (const position of positions) this.#underWay.delete(position);
  }

  /** Something that these images ran in did not survive it. */
  accuse(positions: readonly number[]): void {
    this.end(positions);
    for (const position of positions) this.#suspects.add(position);
  }

  /** Resolves when it is noted that this image runs alone: a crash before `endAlone` counts. */
  async beginAlone(position: number): Promise<void> {
    this.#crashes.set(position, this.crashes(position) + 1);
    await this.#write();
  }

  /** It survived, and is no suspect any more. */
  endAlone(position: number): void {
    this.#crashes.delete(position);
    this.#suspects.delete(position);
  }

  /** Its run ended for a reason that has nothing to do with it. */
  withdrawAlone(position: number): void {
    const crashes = this.crashes(position) - 1;
    if (crashes > 0) this.#crashes.set(position, crashes);
    else this.#crashes.delete(position);
    this.#suspects.add(position);
  }

  /** Leaves the next worker what is still unclear; nothing where nothing is. */
  async settle(): Promise<void> {
    if (this.#suspects.size + this.#crashes.size > 0) await this.#write();
    else await this.clear();
  }

  async clear(): Promise<void> {
    await this.#queue(() => this.#notes.clear());
  }

  #write(): Promise<void> {
    const note: ShardNote = {
      schema: 1,
      suspects: [...new Set([...this.#suspects, ...this.#underWay])].toSorted((a, b) => a - b),
      alone: [...this.#crashes].toSorted(([a], [b]) => a - b),
    };
    return this.#queue(() => this.#notes.write(note));
  }

  /** In the order in which they were asked for. */
  #queue(write: () => Promise<void>): Promise<void> {
    this.#written = this.#written.then(write).catch((err: unknown) => {
      this.#log.warn({ err }, 'the batches under way cannot be noted');
    });
    return this.#written;
  }
}
