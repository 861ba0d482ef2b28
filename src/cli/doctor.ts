import type { Command } from 'commander';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { measureLabel } from '../draw/label-font.ts';
import { checkProviders } from '../model/providers.ts';
import { openQueue } from '../queue/connection.ts';
import { toError } from '../runtime/errors.ts';
import { MILLRACE_VERSION, ONNXRUNTIME_VERSION } from '../runtime/versions.ts';
import { decodableFormats } from '../shard/decode.ts';
import { openStorage } from '../storage/open.ts';

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  /** Whether Millrace can do its work without it. */
  readonly optional?: boolean;
}

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('what works on this machine: providers, queue, storage, image formats, fonts')
    .option('--json', 'print the checks as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const checks = await runChecks();
      process.stdout.write(json ? `${JSON.stringify(checks, null, 2)}\n` : describe(checks));
      if (checks.some(({ ok, optional }) => !ok && !optional)) process.exitCode = 1;
    });
}

async function runChecks(): Promise<Check[]> {
  const providers = (await checkProviders()).map((check): Check => ({
    name: `provider ${check.provider}`,
    ok: check.available,
    detail: check.available ? 'available' : check.reason,
    optional: check.provider !== 'cpu',
  }));
  return [
    {
      name: 'millrace',
      ok: true,
      detail: `${MILLRACE_VERSION}, Node ${process.versions.node}, ONNX Runtime ${ONNXRUNTIME_VERSION}, ${os.availableParallelism()} cores`,
    },
    ...providers,
    await check('embedded queue', checkQueue),
    await check('storage', checkStorage),
    await check('image formats', async () => decodableFormats().join(', ')),
    await check(
      'font',
      async () => `bundled; "millrace" is ${measureLabel('millrace', 18).toFixed(1)} px wide at 18 px`,
    ),
  ];
}

async function check(name: string, run: () => Promise<string>): Promise<Check> {
  try {
    return { name, ok: true, detail: await run() };
  } catch (error) {
    return { name, ok: false, detail: toError(error).message };
  }
}

async function checkQueue(): Promise<string> {
  const queue = await openQueue({});
  await queue.close();
  return 'starts and stops';
}

async function checkStorage(): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-doctor-'));
  try {
    const storage = await openStorage(folder);
    const body = new TextEncoder().encode('doctor');
    const [first, second] = [
      await storage.createIfAbsent('probe', body),
      await storage.createIfAbsent('probe', body),
    ];
    if (!first || second) throw new Error('create-if-absent does not hold');
    return 'folders can be written, create-if-absent holds';
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function describe(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const mark = ({ ok, optional }: Check): string => (ok ? 'ok  ' : optional ? '-   ' : 'FAIL');
  return checks.map((entry) => `${mark(entry)}  ${entry.name.padEnd(width)}  ${entry.detail}\n`).join('');
}
