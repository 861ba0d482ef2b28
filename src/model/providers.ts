import { MillraceError, toError } from '../runtime/errors.ts';
import { openOnnxRuntimeSession } from './onnxruntime-session.ts';
import { PROVIDERS, type Provider } from './session.ts';

/** `Identity` on one float, opset 13: the smallest graph that makes a provider load its libraries. */
const IDENTITY_ONNX = Uint8Array.from(
  Buffer.from(
    'CAgSADo3ChAKAXgSAXkiCElkZW50aXR5EgFnWg8KAXgSCgoICAESBAoCCAFiDwoBeRIKCggIARIECgIIAUIECgAQDQ==',
    'base64',
  ),
);

export type ProviderCheck =
  | { readonly provider: Provider; readonly available: true }
  | { readonly provider: Provider; readonly available: false; readonly reason: string };

/** Whether a provider works on this machine, by opening and running a session on it. */
export async function checkProvider(provider: Provider): Promise<ProviderCheck> {
  try {
    const session = await openOnnxRuntimeSession(IDENTITY_ONNX, { provider, threads: 1 });
    try {
      await session.run({ x: { dtype: 'float32', dims: [1], data: new Float32Array([1]) } });
    } finally {
      await session.close();
    }
    return { provider, available: true };
  } catch (error) {
    return { provider, available: false, reason: firstLine(toError(error).message) };
  }
}

export async function checkProviders(): Promise<ProviderCheck[]> {
  const checks: ProviderCheck[] = [];
  for (const provider of PROVIDERS) checks.push(await checkProvider(provider));
  return checks;
}

/** @throws MillraceError PROVIDER_NOT_AVAILABLE, listing those that are. */
export async function assertProviderAvailable(provider: Provider): Promise<void> {
  if (provider === 'cpu') return;
  const check = await checkProvider(provider);
  if (check.available) return;
  const available = (await checkProviders())
    .filter((other) => other.available)
    .map((other) => other.provider);
  throw new MillraceError(
    'PROVIDER_NOT_AVAILABLE',
    `provider "${provider}" is not available here (${check.reason}); available: ${available.join(', ')}. ` +
      `Choose one of these with --provider.`,
  );
}

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? '';
