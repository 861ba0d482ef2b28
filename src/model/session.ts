/**
 * Running a graph, whatever runs it. Two drivers are foreseen: onnxruntime-node in a thread of its own
 * (`onnxruntime-session.ts`) and, for GPU images, a native engine.
 */

export type TensorData =
  | { readonly dtype: 'float32'; readonly dims: readonly number[]; readonly data: Float32Array }
  | { readonly dtype: 'uint8' | 'bool'; readonly dims: readonly number[]; readonly data: Uint8Array }
  | { readonly dtype: 'int32'; readonly dims: readonly number[]; readonly data: Int32Array }
  | { readonly dtype: 'int64'; readonly dims: readonly number[]; readonly data: BigInt64Array };

export type Tensors = Readonly<Record<string, TensorData>>;

/** An input or output as the graph declares it; dimensions are numbers, or names where they are dynamic. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly (number | string)[];
}

export interface GraphSignature {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
}

export interface Session {
  readonly signature: GraphSignature;
  /**
   * Runs one batch; calls are served in order. The buffers of `feeds` are handed over (detached), not copied.
   *
   * @throws MillraceError with the runtime's own message as cause: INFERENCE_FAILED, INFERENCE_OUT_OF_MEMORY; of the
   *   session itself SESSION_LOST, INFERENCE_TIMEOUT, after which it runs nothing more, and PROCESS_UNUSABLE, after which
   *   the process does not. What is lost together is lost with one and the same error.
   */
  run(feeds: Tensors): Promise<Tensors>;
  close(): Promise<void>;
}

export interface SessionOptions {
  readonly provider: Provider;
  /** Threads within an operator. */
  readonly threads: number;
  /** What one run may take; for ever where it is not set. */
  readonly runTimeoutMs?: number | undefined;
}

/**
 * Opens the session of a model file.
 *
 * @throws MillraceError MODEL_NOT_ONNX where the bytes are none, MODEL_INVALID where the runtime refuses the graph.
 */
export type OpenSession = (file: string, options: SessionOptions) => Promise<Session>;

/** ONNX Runtime's execution providers that Millrace knows. */
export const PROVIDERS = ['cpu', 'cuda', 'tensorrt', 'webgpu', 'coreml', 'dml'] as const;
export type Provider = (typeof PROVIDERS)[number];
