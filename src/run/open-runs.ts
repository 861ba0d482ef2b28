import { MillraceError } from '../runtime/errors.ts';
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
  /** @throws MillraceError RUN_INCOMPLETE while the run is not planned. */
  plan(): Promise<PlanDocument>;
}

/** Runs whose documents are kept; the plan of a hundred million images takes some 40 MB. */
const KEPT_RUNS = 8;

/** Opens runs from their ids, which is all that a job says. */
export class OpenRuns {
  readonly #registry: RunRegistry;
  readonly #assertAllowed: (uri: string) => void;
  readonly #kept = new Map<string, Promise<OpenRun>>();

  /** `assertAllowed` throws for a URI that this process must not touch. */
  constructor(registry: RunRegistry, assertAllowed: (uri: string) => void = () => undefined) {
    this.#registry = registry;
    this.#assertAllowed = assertAllowed;
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
    this.#assertAllowed(uri);
    const output = await openStorage(uri);
    const run = await readJson(output, RUN_KEY, runDocument);
    if (run?.runId !== runId)
      throw new MillraceError(
        'RUN_CORRUPT',
        `the registry says that run ${runId} is in ${uri}, but its ${RUN_KEY} ${run ? `is of run ${run.runId}` : 'is not there'}`,
      );
    this.#assertAllowed(run.source);
    let plan: PlanDocument | undefined;
    return {
      run,
      output,
      plan: async () => {
        plan ??= await readPlan(output);
        if (plan) return plan;
        throw new MillraceError('RUN_INCOMPLETE', `${output.uri} has no ${PLAN_KEY} yet; resume the run`);
      },
    };
  }
}
