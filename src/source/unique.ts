import { createHash } from 'node:crypto';
import { invalid, type ListEntry } from './list-entry.ts';
import { PairSet } from './pair-set.ts';

interface NamedEntry {
  readonly entry: ListEntry;
  readonly key: string;
}

/**
 * Refuses what a list says twice. What was seen is kept as 64-bit fingerprints, so that a hundred million entries take
 * some gigabytes and not tens of them; where a fingerprint is met again, the list is read again to its first user, which
 * tells a repetition from a collision and gives the error both places.
 */
export class UniqueImages {
  readonly #keys = new PairSet();
  readonly #imageIds = new PairSet();
  readonly #readAgain: () => AsyncIterable<NamedEntry>;
  #hasImageIds: boolean | undefined;

  constructor(readAgain: () => AsyncIterable<NamedEntry>) {
    this.#readAgain = readAgain;
  }

  /** @throws MillraceError SOURCE_INVALID for a repeated name or id, and where some images have ids and some none. */
  async add(named: NamedEntry): Promise<void> {
    const { entry, key } = named;
    const { imageId } = entry;
    this.#hasImageIds ??= imageId !== undefined;
    if (this.#hasImageIds !== (imageId !== undefined))
      throw invalid(
        entry.where,
        `${imageId === undefined ? 'has no id, and images before it have one' : `has the id ${imageId}, and images before it have none`}; give every image an id, or none.`,
      );
    if (imageId !== undefined && !this.#imageIds.add(Math.floor(imageId / 2 ** 32), imageId % 2 ** 32))
      throw await this.#repeated(
        named,
        `the image id ${imageId}`,
        (first) => first.entry.imageId === imageId,
      );

    if (this.#keys.add(...fingerprintOf(key))) return;
    const repeated = await this.#findFirst(named, (first) => first.key === key);
    if (repeated) throw repetition(entry, `the image ${JSON.stringify(key)}`, repeated);
  }

  async #repeated(named: NamedEntry, what: string, isSame: (first: NamedEntry) => boolean): Promise<Error> {
    return repetition(named.entry, what, await this.#findFirst(named, isSame));
  }

  async #findFirst(
    named: NamedEntry,
    isSame: (first: NamedEntry) => boolean,
  ): Promise<ListEntry | undefined> {
    for await (const first of this.#readAgain()) {
      if (first.entry.where !== named.entry.where) {
        if (isSame(first)) return first.entry;
        continue;
      }
      if (first.key === named.key) return undefined;
      break;
    }
    throw invalid(named.entry.where, 'the list has changed while it was read; start again.');
  }
}

const repetition = ({ where }: ListEntry, what: string, first: ListEntry | undefined): Error =>
  invalid(where, `${what} is there already${first ? `: ${first.where}` : ''}. Every image is listed once.`);

function fingerprintOf(key: string): [high: number, low: number] {
  const digest = createHash('sha256').update(key).digest();
  return [digest.readUInt32LE(0), digest.readUInt32LE(4)];
}
