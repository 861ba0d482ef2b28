/** Imported into every thread of a process by `--import`: a run that is fed 13 ends its thread with code 7. */
import { isMainThread, parentPort } from 'node:worker_threads';

if (!isMainThread) {
  const on = parentPort.on.bind(parentPort);
  parentPort.on = (event, listener) =>
    on(event, (message) => {
      if (message.kind === 'run' && message.feeds.n.data[0] === 13n) process.exit(7);
      listener(message);
    });
}
