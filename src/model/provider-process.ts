/**
 * Tries one provider and reports over IPC: a process of its own, since a GPU's libraries write to stderr as they like,
 * and may take their process down.
 */
import { toError } from '../runtime/errors.ts';
import { openOnnxRuntimeSession } from './onnxruntime-session.ts';
import { PROVIDERS } from './session.ts';

/** `Identity` on one float, opset 13: the smallest graph that makes a provider load its libraries. */
const IDENTITY_ONNX = Uint8Array.from(
  Buffer.from(
    'CAgSADo3ChAKAXgSAXkiCElkZW50aXR5EgFnWg8KAXgSCgoICAESBAoCCAFiDwoBeRIKCggIARIECgIIAUIECgAQDQ==',
    'base64',
  ),
);

const provider = PROVIDERS.find((name) => name === process.argv[2]);
if (!provider) throw new Error(`no provider "${process.argv[2]}"`);
try {
  const session = await openOnnxRuntimeSession(IDENTITY_ONNX, { provider, threads: 1 });
  await session.run({ x: { dtype: 'float32', dims: [1], data: new Float32Array([1]) } });
  await session.close();
  process.send?.({ available: true });
} catch (error) {
  process.send?.({ available: false, reason: toError(error).message });
}
process.disconnect();
