/**
 * The inference thread: `session.run` of onnxruntime-node blocks the thread that calls it, so it gets one to itself.
 * Requests are served strictly in order.
 */
import { env, InferenceSession, Tensor } from 'onnxruntime-node';
import { parentPort } from 'node:worker_threads';
import { toError } from '../runtime/errors.ts';
import { transferableBuffers } from '../runtime/transferable.ts';
import type { GraphSignature, Provider, TensorData, TensorInfo, Tensors } from './session.ts';

export type ThreadRequest =
  | {
      readonly id: number;
      readonly kind: 'load';
      readonly model: string | Uint8Array;
      readonly provider: Provider;
      readonly threads: number;
    }
  | { readonly id: number; readonly kind: 'run'; readonly feeds: Tensors };

export type ThreadReply =
  | { readonly id: number; readonly kind: 'loaded'; readonly signature: GraphSignature }
  | { readonly id: number; readonly kind: 'ran'; readonly outputs: Tensors }
  | { readonly id: number; readonly kind: 'failed'; readonly message: string };

const port = parentPort;
if (!port) throw new Error('onnxruntime-thread is the body of a worker thread, not a module to import');

// What goes wrong comes back as an error; ONNX Runtime's own log would only repeat it on stderr.
env.logLevel = 'fatal';

let session: InferenceSession | undefined;
let queue: Promise<void> = Promise.resolve();

port.on('message', (request: ThreadRequest) => {
  queue = queue.then(() => serve(request));
});

async function serve(request: ThreadRequest): Promise<void> {
  try {
    if (request.kind === 'load') {
      session = await load(request.model, request.provider, request.threads);
      reply({ id: request.id, kind: 'loaded', signature: signatureOf(session) });
      return;
    }
    if (!session) throw new Error('no model is loaded');
    const outputs = await run(session, request.feeds);
    reply(
      { id: request.id, kind: 'ran', outputs },
      transferableBuffers(Object.values(outputs).map(({ data }) => data)),
    );
  } catch (error) {
    reply({ id: request.id, kind: 'failed', message: toError(error).message });
  }
}

function reply(message: ThreadReply, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

function load(model: string | Uint8Array, provider: Provider, threads: number): Promise<InferenceSession> {
  const options: InferenceSession.SessionOptions = {
    executionProviders: [provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 4,
  };
  return typeof model === 'string'
    ? InferenceSession.create(model, options)
    : InferenceSession.create(model, options);
}

function signatureOf(loaded: InferenceSession): GraphSignature {
  return {
    inputs: loaded.inputMetadata.map(tensorInfo),
    outputs: loaded.outputMetadata.map(tensorInfo),
  };
}

function tensorInfo(metadata: InferenceSession.ValueMetadata): TensorInfo {
  return metadata.isTensor
    ? { name: metadata.name, dtype: metadata.type, shape: [...metadata.shape] }
    : { name: metadata.name, dtype: 'not a tensor', shape: [] };
}

async function run(loaded: InferenceSession, feeds: Tensors): Promise<Tensors> {
  const inputs = Object.entries(feeds).map(
    ([name, { dtype, data, dims }]) => [name, new Tensor(dtype, data, dims)] as const,
  );
  const results = await loaded.run(Object.fromEntries(inputs));
  return Object.fromEntries(Object.entries(results).map(([name, value]) => [name, tensorData(name, value)]));
}

function tensorData(name: string, tensor: Tensor): TensorData {
  const { data, dims } = tensor;
  if (tensor.type === 'float32' && data instanceof Float32Array) return { dtype: 'float32', dims, data };
  if (tensor.type === 'int64' && data instanceof BigInt64Array) return { dtype: 'int64', dims, data };
  if (tensor.type === 'int32' && data instanceof Int32Array) return { dtype: 'int32', dims, data };
  if ((tensor.type === 'uint8' || tensor.type === 'bool') && data instanceof Uint8Array)
    return { dtype: tensor.type, dims, data };
  throw new Error(`output "${name}" is ${tensor.type}; float32, int64, int32, uint8 and bool are read`);
}
