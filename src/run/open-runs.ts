import { MillraceError } from '../runtime/errors.ts';
import { assertUriAllowed } from '../source/allowed-uris.ts';
import { openSource } from '../source/open-source.ts';
import type { Source } from '../source/source.ts';
import { openStorage } from '../storage/open.ts';
import type { Storage } from '../storage/storage.ts';
import { type PlanDocument, type RunDocument, runDocument } from './documents.ts';
import { PLAN_KEY, RUN_KEY } from './layout.ts';
import { readJson, readPlan } from './read-write.ts';
import type { RunRegistry } from './registry.ts';

/** A run of which a process holds the documents: these never change once they are written. */
export interface OpenRun {
  readonly run: RunDocument;
  readonly output: Storage;
  readonly source: Source;
  /** @throws MillraceError RUN_INCOMPLETE while the run is not planned. */
  readonly plan: () => Promise<PlanDocument>;
}

/** Runs whose documents are kept; the plan of a hundred million images takes some 40 MB. */
const KEPT_RUNS = 8;

/** Opens runs from their ids, which is all that a job says. */
export class OpenRuns {
  readonly #registry: RunRegistry;
  readonly #allowedUris: readonly string[] | undefined;
  readonly #kept = new Map<string, Promise<OpenRun>>();

  /** `allowedUris`: what this process may touch, sources and entries of lists included; anything without. */
  constructor(registry: RunRegistry, allowedUris?: readonly string[]) {
    this.#registry = registry;
    this.#allowedUris = allowedUris;
  }

  /** @throws MillraceError RUN_UNKNOWN, RUN_CORRUPT, URI_NOT_ALLOWED, and storage's errors. */
  async open(runId: string): Promise<OpenRun> {
    const opened = this.#kept.get(runId) ?? this.#open(runId);
    this.#kept.delete(runId);
    this.#kept.set(runId, opened);
    for (const [oldest] of this.#kept) {
      if (this.#kept.size <= KEPT_RUNS) break;
      this.#kept.delete(oldest);
    }
    try {
      return await opened;
    } catch (error) {
      this.#kept.delete(runId);
      throw error;
    }
  }

  async #open(runId: string): Promise<OpenRun> {
    const { output: uri } = await this.#registry.find(runId);
    await assertUriAllowed(uri, this.#allowedUris);
    const output = await openStorage(uri);
    const run = await readJson(output, RUN_KEY, runDocument);
    if (run?.runId !== runId)
      throw new MillraceError(
        'RUN_CORRUPT',
        `the registry says that run ${runId} is in ${uri}, but its ${RUN_KEY} ${run ? `is of run ${run.runId}` : 'is not there'}`,
      );
    const source = await openSource(run.source, { allowedUris: this.#allowedUris });
    let plan: PlanDocument | undefined;
    return {
      run,
      output,
      source,
      plan: async () => {
        plan ??= await readPlan(output);
        if (plan) return plan;
        throw new MillraceError('RUN_INCOMPLETE', `${output.uri} has no ${PLAN_KEY} yet; resume the run`);
      },
    };
  }
}
