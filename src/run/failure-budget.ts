import { MillraceError } from '../runtime/errors.ts';
import type { FailedRecord } from './record.ts';
import type { Tally } from './tally.ts';

/** How many images may fail: a share of the run's images, or a count. */
export type FailureBudget = { readonly share: number } | { readonly count: number };

const DEFAULT_BUDGET: FailureBudget = { share: 0.05 };

/** A share is judged once so many images are done: one bad file among the first three is no sign of anything. */
const JUDGED_AFTER_IMAGES = 200;

/**
 * Whether a run has failed too often. A count is judged at once; a share once 200 images are done, and, if the user
 * asked for it, also at the end of a smaller run. Unasked, a smaller run may just not fail as a whole.
 */
export function exceedsBudget(
  { labelled, failed }: Tally,
  asked: FailureBudget | undefined,
  atEnd: boolean,
): boolean {
  const budget = asked ?? DEFAULT_BUDGET;
  if ('count' in budget) return failed > budget.count;
  // Nothing but failures is a fault of the set-up, however few images there are.
  if (atEnd && asked === undefined && labelled === 0) return failed > 0;
  const done = labelled + failed;
  const judged = done >= JUDGED_AFTER_IMAGES || (atEnd && asked !== undefined);
  return judged && failed > budget.share * done;
}

/** So many failed images are shown to somebody whose run has stopped. */
export const FAILURE_EXAMPLES = 5;

/** The error that a run ends with. Keys are quoted: a file's name may hold anything. */
export function budgetExceeded(
  { failed }: Tally,
  images: number,
  asked: FailureBudget | undefined,
  examples: readonly FailedRecord[],
): MillraceError {
  return new MillraceError(
    'FAILURE_BUDGET_EXCEEDED',
    [
      `${failed} of ${images} images failed; the budget is ${describeBudget(asked)}.${examples.length > 0 ? ' Among them:' : ''}`,
      ...examples.map(({ key, failure }) => `  ${JSON.stringify(key)}: ${failure.class}, ${failure.message}`),
      `What is done is kept: mend the images, or go on with a larger --max-failures.`,
    ].join('\n'),
  );
}

export const describeBudget = (budget: FailureBudget = DEFAULT_BUDGET): string =>
  'count' in budget ? `${budget.count} images` : `${Number((budget.share * 100).toPrecision(6))}%`;
