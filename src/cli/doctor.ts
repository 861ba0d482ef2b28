import type { Command } from 'commander';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { readSecret } from '../../config/secrets.ts';
import { measureLabel } from '../draw/label-font.ts';
import { checkProviders } from '../model/providers.ts';
import { openQueue } from '../queue/connection.ts';
import { toError } from '../runtime/errors.ts';
import { MILLRACE_VERSION, ONNXRUNTIME_VERSION } from '../runtime/versions.ts';
import { decodableFormats } from '../shard/decode.ts';
import { assertConditionalWrites } from '../storage/conditional-writes.ts';
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
    .option('--storage <uri>', 'also write to this place, as a run does: s3://bucket/prefix/')
    .option('--json', 'print the checks as JSON')
    .addHelpText('after', '\nWith QUEUE_URL set it also connects to that queue.')
    .action(async ({ json, storage }: { json?: boolean; storage?: string }) => {
      const checks = await runChecks(storage);
      process.stdout.write(json ? `${JSON.stringify(checks, null, 2)}\n` : describe(checks));
      if (checks.some(({ ok, optional }) => !ok && !optional)) process.exitCode = 1;
    });
}

async function runChecks(storage: string | undefined): Promise<Check[]> {
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
    await check('embedded queue', async () => checkQueue(undefined)),
    ...(await checkCluster(readSecret('QUEUE_URL', process.env), storage)),
    await check('folders', checkFolders),
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

async function checkCluster(queueUrl: string | undefined, storage: string | undefined): Promise<Check[]> {
  return [
    ...(queueUrl === undefined ? [] : [await check('QUEUE_URL', async () => checkQueue(queueUrl))]),
    ...(storage === undefined ? [] : [await check(storage, async () => checkStorage(storage))]),
  ];
}

async function checkQueue(url: string | undefined): Promise<string> {
  const queue = await openQueue({ url });
  await queue.close();
  return 'opens and closes';
}

async function checkFolders(): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-doctor-'));
  try {
    return await checkStorage(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function checkStorage(uri: string): Promise<string> {
  await assertConditionalWrites(await openStorage(uri));
  return 'can be written, conditional writes hold';
}

function describe(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const mark = ({ ok, optional }: Check): string => (ok ? 'ok  ' : optional ? '-   ' : 'FAIL');
  return checks.map((entry) => `${mark(entry)}  ${entry.name.padEnd(width)}  ${entry.detail}\n`).join('');
}
