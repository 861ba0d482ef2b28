import { MillraceError } from '../runtime/errors.ts';
import type { Storage } from '../storage/storage.ts';
import { type RegisteredRun, registeredRun } from './documents.ts';
import { REGISTERED_RUNS_PREFIX, registeredRunId, registeredRunKey } from './layout.ts';
import { readJson, toJsonBytes } from './read-write.ts';

/** How a run is found from its id, which is all that a job says. */
export interface RunRegistry {
  /** @throws MillraceError RUN_UNKNOWN. */
  find(runId: string): Promise<RegisteredRun>;
  /** Every run, complete or not. */
  list(): AsyncIterable<RegisteredRun>;
}

/** The registry of a deployment: a storage prefix that producers write and the processes of the cluster read. */
export class StorageRegistry implements RunRegistry {
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** The same again changes nothing: a run's id follows from its output. */
  async register(run: RegisteredRun): Promise<void> {
    await this.#storage.put(registeredRunKey(run.runId), toJsonBytes(run));
  }

  /** Throws where the registry cannot be read; an empty one can. */
  async assertReadable(): Promise<void> {
    await this.#storage.stat(registeredRunKey('none'));
  }

  async find(runId: string): Promise<RegisteredRun> {
    const found = await readJson(this.#storage, registeredRunKey(runId), registeredRun);
    if (found?.runId === runId) return found;
    throw new MillraceError(
      'RUN_UNKNOWN',
      `the registry ${this.#storage.uri} has no run ${runId}; is it the one that "millrace enqueue" wrote to (MILLRACE_REGISTRY)?`,
    );
  }

  /** The ids alone, at one request a thousand runs. */
  async *ids(): AsyncGenerator<string> {
    for await (const { key } of this.#storage.list(REGISTERED_RUNS_PREFIX)) {
      const id = registeredRunId(key);
      if (id !== undefined) yield id;
    }
  }

  async *list(): AsyncGenerator<RegisteredRun> {
    for await (const { key } of this.#storage.list(REGISTERED_RUNS_PREFIX)) {
      const run = await readJson(this.#storage, key, registeredRun);
      if (run) yield run;
    }
  }
}

/** The registry of a process that works on one run alone. */
export const registryOf = (run: RegisteredRun): RunRegistry => ({
  find: async () => run,
  list: async function* () {
    yield run;
  },
});
