import { InferenceThread } from './inference-thread.ts';
import type { GraphSignature, Session, SessionOptions, Tensors } from './session.ts';

/**
 * Loads an ONNX model, by path or from bytes, into a thread of its own.
 *
 * @throws MillraceError INFERENCE_FAILED; the cause's message is ONNX Runtime's.
 */
export async function openOnnxRuntimeSession(
  model: string | Uint8Array,
  { provider, threads, runTimeoutMs }: SessionOptions,
): Promise<Session> {
  const thread = new InferenceThread(runTimeoutMs);
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
