/** Undoes what has been opened, in reverse order, also when opening fails half-way. */
export class Lifetime {
  readonly #releasers: (() => Promise<void>)[] = [];

  onEnd(release: () => Promise<void>): void {
    this.#releasers.push(release);
  }

  /** Every releaser runs; the first error is thrown at the end. */
  async end(): Promise<void> {
    const errors: unknown[] = [];
    for (const release of this.#releasers.splice(0).toReversed()) {
      await release().catch((error: unknown) => errors.push(error));
    }
    if (errors.length > 0) throw errors[0];
  }
}

/** Runs `body` with a lifetime that ends with it. */
export async function withLifetime<T>(body: (lifetime: Lifetime) => Promise<T>): Promise<T> {
  const lifetime = new Lifetime();
  try {
    return await body(lifetime);
  } finally {
    await lifetime.end();
  }
}
