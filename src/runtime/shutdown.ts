import type { Logger } from './log.ts';

/**
 * Resolves at the first SIGTERM or SIGINT. The second ends the process at once, as the signal does any: `process.exit`
 * would tear down an inference thread in the middle of its native call, which aborts the process.
 */
export function untilToldToStop(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let told = false;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (told) {
        process.off(signal, onSignal);
        process.kill(process.pid, signal);
      }
      told = true;
      resolve(signal);
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}

/** Ends a process that hangs in native code, for its supervisor to start again: an ordinary exit would wait for it. */
export function endProcess(error: Error, log: Logger): void {
  log.fatal({ err: error }, 'this process ends itself');
  process.kill(process.pid, 'SIGKILL');
}
