import { MillraceError } from '../runtime/errors.ts';
import type { Tally } from './tally.ts';

/** How many images may fail: a share of the run's images, or a count. */
export type FailureBudget = { readonly share: number } | { readonly count: number };

const DEFAULT_BUDGET: FailureBudget = { share: 0.05 };

/** A share is judged once so many images are done: one bad file among the first three is no sign of anything. */
const JUDGED_AFTER_IMAGES = 200;

/**
 * Whether a run has failed too often. A count is judged at once; a share once 200 images are done, and, if the user
 * asked for it, also at the end of a smaller run.
 */
export function exceedsBudget(
  { labelled, failed }: Tally,
  asked: FailureBudget | undefined,
  atEnd: boolean,
): boolean {
  const budget = asked ?? DEFAULT_BUDGET;
  if ('count' in budget) return failed > budget.count;
  const done = labelled + failed;
  const judged = done >= JUDGED_AFTER_IMAGES || (atEnd && asked !== undefined);
  return judged && failed > budget.share * done;
}

/** The error that a run ends with. */
export const budgetExceeded = (
  { failed }: Tally,
  images: number,
  asked: FailureBudget | undefined,
): MillraceError =>
  new MillraceError(
    'FAILURE_BUDGET_EXCEEDED',
    `${failed} of ${images} images failed; the budget is ${describeBudget(asked)}. ` +
      `What is done is kept: look at the failures, then go on with a larger --max-failures.`,
  );

export const describeBudget = (budget: FailureBudget = DEFAULT_BUDGET): string =>
  'count' in budget ? `${budget.count} images` : `${Number((budget.share * 100).toPrecision(6))}%`;
