import { Worker } from 'node:worker_threads';
import { MillraceError, toError } from '../runtime/errors.ts';
import type { ThreadReply, ThreadRequest } from './onnxruntime-thread.ts';
import { runError } from './run-error.ts';

/** Threads start from what is built. */
const THREAD = new URL('onnxruntime-thread.js', import.meta.url);

/** How long a thread that is told to end may take; one that is stuck in native code never does. */
const END_MS = 5_000;

interface Pending {
  readonly kind: ThreadRequest['kind'];
  readonly resolve: (reply: ThreadReply) => void;
  readonly reject: (error: Error) => void;
}

type RequestBody = ThreadRequest extends infer Request
  ? Request extends ThreadRequest
    ? Omit<Request, 'id'>
    : never
  : never;

/** Requests and replies by id; every pending request fails when the thread dies or hangs. */
export class InferenceThread {
  readonly #worker = new Worker(THREAD);
  /** In the order in which they are served. */
  readonly #pending = new Map<number, Pending>();
  readonly #runTimeoutMs: number | undefined;
  #lastId = 0;
  #death: MillraceError | undefined;
  #watchdog: NodeJS.Timeout | undefined;

  /** `runTimeoutMs` is what one run may take, from when its turn comes. */
  constructor(runTimeoutMs: number | undefined) {
    this.#runTimeoutMs = runTimeoutMs;
    this.#worker.on('message', (reply: ThreadReply) => {
      const pending = this.#pending.get(reply.id);
      this.#pending.delete(reply.id);
      this.#watch();
      if (reply.kind === 'failed') pending?.reject(runError(new Error(reply.message)));
      else pending?.resolve(reply);
    });
    this.#worker.on('error', (error) => this.#die(sessionLost(toError(error).message, error)));
    this.#worker.on('exit', (code) => this.#die(sessionLost(`it ended with code ${code}`)));
  }

  /** @throws MillraceError what `runError` says; SESSION_LOST, INFERENCE_TIMEOUT, PROCESS_UNUSABLE. */
  ask(request: RequestBody, transfer: readonly ArrayBufferLike[] = []): Promise<ThreadReply> {
    if (this.#death) return Promise.reject(this.#death);
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { kind: request.kind, resolve, reject });
      if (this.#pending.size === 1) this.#watch();
      this.#worker.postMessage(
        { ...request, id },
        transfer.filter((buffer) => buffer instanceof ArrayBuffer),
      );
    });
  }

  /** Resolves when the thread has ended, or could not be ended. */
  async close(): Promise<void> {
    await this.#end();
  }

  /** The oldest request is the one at work. */
  #watch(): void {
    clearTimeout(this.#watchdog);
    const [atWork] = this.#pending.values();
    if (this.#runTimeoutMs === undefined || atWork?.kind !== 'run') return;
    this.#watchdog = setTimeout(() => void this.#giveUp(), this.#runTimeoutMs);
  }

  async #giveUp(): Promise<void> {
    const seconds = (this.#runTimeoutMs ?? 0) / 1000;
    const hung = `an inference did not end within ${seconds} s (inferenceTimeoutSeconds)`;
    this.#death = new MillraceError('INFERENCE_TIMEOUT', `${hung}; its thread was ended`);
    if (!(await this.#end()))
      this.#death = new MillraceError('PROCESS_UNUSABLE', `${hung}, and its thread cannot be ended`);
    this.#die(this.#death);
  }

  /** Whether the thread could be ended. */
  async #end(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), END_MS);
    });
    const ended = this.#worker.terminate().then(() => true);
    return await Promise.race([ended, late]).finally(() => clearTimeout(timer));
  }

  /** The first reason counts, and every request that is lost with it fails with that very error. */
  #die(error: MillraceError): void {
    clearTimeout(this.#watchdog);
    const death = (this.#death ??= error);
    for (const { reject } of this.#pending.values()) reject(death);
    this.#pending.clear();
  }
}

const sessionLost = (how: string, cause?: unknown): MillraceError =>
  new MillraceError('SESSION_LOST', `the inference thread is gone: ${how}`, { cause });
