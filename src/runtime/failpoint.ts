/**
 * For the fault tests only: `MILLRACE_FAILPOINT=<name>[:<nth>]` kills the process with SIGKILL when it passes that point
 * for the nth time (the first, if not said). Without the variable, or with `NODE_ENV=production`, a point does nothing.
 */

/** Where a process can be killed, in the order of a run. */
export type Failpoint =
  'in-plan' | 'after-fetch' | 'mid-infer' | 'after-records' | 'after-commit' | 'in-merge';

const { MILLRACE_FAILPOINT = '', NODE_ENV } = process.env;
const [target, nth = '1'] = NODE_ENV === 'production' ? [''] : MILLRACE_FAILPOINT.split(':');
let left = Number(nth);

export function failpoint(name: Failpoint): void {
  if (name !== target) return;
  left -= 1;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
}
