import type { FailureClass } from '../../src/runtime/image-failure.ts';
import type { FinalFiles } from './invariants.ts';
import type { Stage } from './stage.ts';

/** One way of going wrong. */
export interface Scenario {
  readonly name: string;
  /** What is done, in a sentence. */
  readonly about: string;
  /** Does it, and resolves when the run is complete all the same. */
  readonly run: (stage: Stage) => Promise<Outcome>;
}

export interface Outcome {
  readonly injected: number;
  /** What was injected: "SIGKILL", "answers 503". */
  readonly what: string;
  /** Images that the fault is about, which therefore fail: nothing else may differ. */
  readonly failed?: ReadonlyMap<string, FailureClass>;
  /** What the final files must be, where that is not what the undisturbed run made. */
  readonly files?: FinalFiles;
}
