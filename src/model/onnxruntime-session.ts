import { Worker } from 'node:worker_threads';
import { MillraceError, toError } from '../runtime/errors.ts';
import type { ThreadReply, ThreadRequest } from './onnxruntime-thread.ts';
import type { GraphSignature, Session, SessionOptions, Tensors } from './session.ts';

/** Threads start from what is built. */
const THREAD = new URL('onnxruntime-thread.js', import.meta.url);

interface Pending {
  readonly resolve: (reply: ThreadReply) => void;
  readonly reject: (error: Error) => void;
}

type RequestBody = ThreadRequest extends infer Request
  ? Request extends ThreadRequest
    ? Omit<Request, 'id'>
    : never
  : never;

/**
 * Loads an ONNX model, by path or from bytes, into a thread of its own.
 *
 * @throws MillraceError INFERENCE_FAILED; the cause's message is ONNX Runtime's.
 */
export async function openOnnxRuntimeSession(
  model: string | Uint8Array,
  { provider, threads }: SessionOptions,
): Promise<Session> {
  const thread = new InferenceThread();
  try {
    const reply = await thread.ask({ kind: 'load', model, provider, threads });
    if (reply.kind !== 'loaded') throw new Error(`unexpected reply "${reply.kind}"`);
    return new ThreadSession(thread, reply.signature);
  } catch (error) {
    await thread.close();
    throw error;
  }
}

class ThreadSession implements Session {
  readonly signature: GraphSignature;
  readonly #thread: InferenceThread;

  constructor(thread: InferenceThread, signature: GraphSignature) {
    this.#thread = thread;
    this.signature = signature;
  }

  async run(feeds: Tensors): Promise<Tensors> {
    const reply = await this.#thread.ask(
      { kind: 'run', feeds },
      Object.values(feeds).map(({ data }) => data.buffer),
    );
    if (reply.kind !== 'ran') throw new Error(`unexpected reply "${reply.kind}"`);
    return reply.outputs;
  }

  close(): Promise<void> {
    return this.#thread.close();
  }
}

/** Requests and replies by id; every pending request fails when the thread dies. */
class InferenceThread {
  readonly #worker = new Worker(THREAD);
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #death: Error | undefined;

  constructor() {
    this.#worker.on('message', (reply: ThreadReply) => {
      const pending = this.#pending.get(reply.id);
      this.#pending.delete(reply.id);
      if (reply.kind === 'failed') pending?.reject(inferenceFailed(new Error(reply.message)));
      else pending?.resolve(reply);
    });
    this.#worker.on('error', (error) => this.#die(toError(error)));
    this.#worker.on('exit', (code) => this.#die(new Error(`the inference thread ended with code ${code}`)));
  }

  ask(request: RequestBody, transfer: readonly ArrayBufferLike[] = []): Promise<ThreadReply> {
    if (this.#death) return Promise.reject(inferenceFailed(this.#death));
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage(
        { ...request, id },
        transfer.filter((buffer) => buffer instanceof ArrayBuffer),
      );
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #die(cause: Error): void {
    this.#death ??= cause;
    for (const { reject } of this.#pending.values()) reject(inferenceFailed(cause));
    this.#pending.clear();
  }
}

function inferenceFailed(cause: Error): MillraceError {
  return new MillraceError('INFERENCE_FAILED', `ONNX Runtime: ${cause.message}`, { cause });
}
