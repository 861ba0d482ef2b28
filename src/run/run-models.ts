import { isMillraceError, toError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/log.ts';

export interface RunModelsOptions {
  /** The ids of all runs. */
  readonly runIds: () => AsyncIterable<string>;
  /** The name of a run's model; asked once for each run. */
  readonly modelOf: (runId: string) => Promise<string>;
  readonly log: Logger;
}

/** Lists the models that runs have used, in alphabetical order; a run that cannot be read is left out. */
export function runModels({ runIds, modelOf, log }: RunModelsOptions): () => Promise<string[]> {
  const seen = new Set<string>();
  const models = new Set<string>();
  return async () => {
    for await (const runId of runIds()) {
      if (seen.has(runId)) continue;
      try {
        models.add(await modelOf(runId));
        seen.add(runId);
      } catch (error) {
        log.warn({ run: runId, err: toError(error) }, 'the model of a run cannot be told');
        if (isMillraceError(error) && error.retry === 'never') seen.add(runId);
      }
    }
    return [...models].toSorted();
  };
}
