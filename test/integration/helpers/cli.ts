import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
export const demoImages = path.join(repository, 'examples/images');
export const demoModel = path.join(repository, 'models/id-cards');
export const fixtureModel = (name: string): string => path.join(repository, 'test/fixtures/models', name);

export const fixtureScenes = path.join(repository, 'test/fixtures/scenes');

const MAIN = path.join(repository, 'dist/src/cli/main.js');

export interface CliResult {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly environment?: Record<string, string>;
  readonly workingFolder?: string;
  /** Called with the running process, to interrupt or kill it. */
  readonly onStart?: (child: ReturnType<typeof spawn>) => void;
}

/** Runs the built command line as a user does, in a process of its own. */
export function millrace(argv: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const child = spawn(process.execPath, [MAIN, ...argv], {
    cwd: options.workingFolder ?? repository,
    env: { ...process.env, ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  options.onStart?.(child);
  return untilClosed(child);
}

/** How a process ended, and what it printed. */
export function untilClosed(child: ChildProcessByStdio<null, Readable, Readable>): Promise<CliResult> {
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode, signal) => resolve({ exitCode, signal, stdout, stderr }));
  });
}

export const temporaryFolder = (): string => mkdtempSync(path.join(os.tmpdir(), 'millrace-test-'));

export const readJsonFile = (...segments: string[]): unknown =>
  JSON.parse(readFileSync(path.join(...segments), 'utf8'));

/** The files that a run is judged by, as name -> SHA-256. */
export function finalFiles(output: string): Record<string, string> {
  const files = readdirSync(output, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(output, path.join(entry.parentPath, entry.name)))
    // run.json names the output itself.
    .filter((name) => name !== 'run.json');
  return Object.fromEntries(
    files.toSorted().map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(path.join(output, name)))
        .digest('hex'),
    ]),
  );
}
