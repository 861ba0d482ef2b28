import { MillraceError } from '../runtime/errors.ts';
import { BullConnection } from './bull-connection.ts';
import { QUEUE_DEFAULTS, type QueueSettings } from './defaults.ts';
import { openEmbeddedBackend } from './embedded-backend.ts';

/** An open queue. Comes from `openQueue`; `addRun`, `startRunWorker`, `startShardWorker` and `waitForRun` take it. */
export interface QueueConnection {
  /** Ends its workers, which finish their jobs first, then everything else. Without workers it ends at once. */
  close(): Promise<void>;
}

export interface QueueOptions extends Partial<QueueSettings> {
  /** `QUEUE_URL`. Without one: the embedded queue, in this process's memory and for this process alone. */
  readonly url?: string | undefined;
  /** Hears of what goes wrong in the background, where no caller waits. Without one: the process's warnings. */
  readonly log?: { error(fields: { err: Error }, message: string): void } | undefined;
}

/** @throws MillraceError `CONFIG_INVALID` for a URL that no backend serves. */
export async function openQueue({ url, log, ...settings }: QueueOptions = {}): Promise<QueueConnection> {
  const onError = (error: Error, context: string): void => {
    if (log) log.error({ err: error }, context);
    else process.emitWarning(`${context}: ${error.message}`);
  };
  return new BullConnection(await openBackend(url), { ...QUEUE_DEFAULTS, ...settings }, onError);
}

/** The one place that knows which URL selects which of BullMQ's backends. */
function openBackend(url: string | undefined): ReturnType<typeof openEmbeddedBackend> {
  if (url === undefined) return openEmbeddedBackend();
  throw new MillraceError(
    'CONFIG_INVALID',
    'QUEUE_URL: this version runs on the embedded queue: unset QUEUE_URL',
  );
}
