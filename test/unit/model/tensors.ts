import type { GraphSignature, Session, TensorData, TensorInfo, Tensors } from '../../../src/model/session.ts';

export const float32 = (dims: number[], ...values: number[]): TensorData => ({
  dtype: 'float32',
  dims,
  data: Float32Array.from(values),
});

export const int64 = (dims: number[], ...values: number[]): TensorData => ({
  dtype: 'int64',
  dims,
  data: BigInt64Array.from(values, BigInt),
});

export const info = (name: string, dtype: string, ...shape: (number | string)[]): TensorInfo => ({
  name,
  dtype,
  shape,
});

/** A session that computes with a function. Like a real one it takes the buffers away that it is fed. */
export function fakeSession(
  graph: (feeds: Tensors) => Tensors,
  signature: GraphSignature = { inputs: [], outputs: [] },
): Session {
  return {
    signature,
    run: async (feeds) => {
      const transfer = Object.values(feeds)
        .map(({ data }) => data.buffer)
        .filter((buffer) => buffer instanceof ArrayBuffer);
      return graph(structuredClone(feeds, { transfer }));
    },
    close: async () => undefined,
  };
}
