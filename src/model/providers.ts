import { fork } from 'node:child_process';
import { z } from 'zod';
import { MillraceError } from '../runtime/errors.ts';
import { PROVIDERS, type Provider } from './session.ts';

const verdict = z.discriminatedUnion('available', [
  z.object({ available: z.literal(true) }),
  z.object({ available: z.literal(false), reason: z.string() }),
]);

export type ProviderCheck = { readonly provider: Provider } & Readonly<z.infer<typeof verdict>>;

/** Processes start from what is built. */
const PROCESS = new URL('provider-process.js', import.meta.url);

/** Whether a provider works on this machine, by running a session on it in a process of its own. */
function checkProvider(provider: Provider): Promise<ProviderCheck> {
  return new Promise((resolve, reject) => {
    const child = fork(PROCESS, [provider], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    let check: ProviderCheck = { provider, available: false, reason: 'its libraries ended the process' };
    child.on('message', (message) => {
      const found = verdict.parse(message);
      check = { provider, ...(found.available ? found : { ...found, reason: essence(found.reason) }) };
    });
    child.on('error', reject);
    child.on('close', () => resolve(check));
  });
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

/** ONNX Runtime's reason without the source file, function and condition that it starts with. */
const essence = (reason: string): string =>
  (reason.split('\n', 1)[0] ?? '').replace(/\/\S+\.cc:\d+ .* was false\. /, '');
