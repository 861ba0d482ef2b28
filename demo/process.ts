import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';

const READY_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 20_000;

/** The line that a process of a cluster logs once it works. */
const readyLine = z.looseObject({
  msg: z.literal('ready'),
  /** Of health and metrics. */
  health: z.string().optional(),
  /** Of the board. */
  url: z.string().optional(),
});

export interface RunningProcess {
  readonly name: string;
  readonly child: ChildProcess;
  readonly readyFields: z.infer<typeof readyLine>;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** SIGTERM, and SIGKILL for one that does not end by it. */
  stop(): Promise<void>;
}

export interface ProcessOptions {
  readonly environment: Readonly<Record<string, string>>;
  readonly onLog?: (name: string, line: string) => void;
}

/**
 * Starts a Node process and waits until it logs that it is ready. It ends with this process, whatever ends that.
 *
 * @throws Error with what it logged, if it ends before.
 */
export async function startProcess(
  name: string,
  argv: readonly string[],
  { environment, onLog }: ProcessOptions,
): Promise<RunningProcess> {
  const child = spawn(process.execPath, argv, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('exit', (code, signal) => {
      process.off('exit', kill);
      resolve(code ?? signal ?? 0);
    });
  });
  const logged: string[] = [];
  const readyFields = await new Promise<z.infer<typeof readyLine>>((resolve, reject) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      onLog?.(name, line);
      logged.push(line);
      if (logged.length > 50) logged.shift();
      const ready = readyLine.safeParse(parseJson(line));
      if (ready.success) resolve(ready.data);
    });
    const fail = (reason: string): void => reject(new Error(`${name} ${reason}:\n${logged.join('\n')}`));
    void ended.then((code) => fail(`ended with ${code} before it was ready`));
    void setTimeout(READY_TIMEOUT_MS, undefined, { ref: false }).then(() => fail('was not ready in time'));
  });
  return { name, child, readyFields, ended, stop: () => stopProcess(child, ended) };
}

/** Runs a Node process on this terminal. Returns its exit code. */
export async function runToEnd(argv: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, argv, { stdio: 'inherit' });
  const [code] = z.tuple([z.number().nullable(), z.unknown()]).parse(await once(child, 'exit'));
  return code ?? 1;
}

async function stopProcess(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  // One that was stopped by SIGSTOP would not hear anything else.
  child.kill('SIGCONT');
  child.kill('SIGTERM');
  await Promise.race([ended, setTimeout(STOP_TIMEOUT_MS, undefined, { ref: false })]);
  child.kill('SIGKILL');
  await ended;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
