import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir, open, readFile, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { packageRoot } from '../../src/runtime/package-root.ts';

const run = promisify(execFile);

/** Where programs are put that the machine lacks; git ignores it. */
const CACHE = fileURLToPath(new URL('.cache/tools', packageRoot));
const INSTALL_TIMEOUT_MS = 900_000;

/** A program that tests need, and how to get it. */
export interface Tool {
  readonly program: string;
  /** Folders to look into beside the PATH. */
  readonly folders: readonly string[];
  /** A command for a person, for the message when `install` cannot help. */
  readonly howTo: string;
  /** Puts the program into one of `folders` or on the PATH. */
  readonly install: () => Promise<void>;
}

/** A program of a Debian package, which root can install. `folders`: where the package puts it, if not on the PATH. */
export const debianProgram = (
  program: string,
  packageName: string,
  folders: readonly string[] = [],
): Tool => ({
  program,
  folders,
  howTo: `apt-get install ${packageName}`,
  install: async () => {
    if (process.getuid?.() !== 0) throw new Error('only root can install Debian packages');
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    await command('apt-get', ['update'], env);
    await command('apt-get', ['install', '-y', '--no-install-recommends', packageName], env);
  },
});

/** A program that Go builds from a package of a module, at a version ("v1.2.3"). */
export const goProgram = (program: string, packagePath: string, version: string): Tool => {
  const folder = join(CACHE, 'go', `${program}-${version}`);
  const target = `${packagePath}@${version}`;
  return {
    program,
    folders: [folder],
    howTo: `go install ${target}`,
    install: () => command('go', ['install', target], { ...process.env, GOBIN: folder }),
  };
};

/** A program that a Python package brings, in a virtual environment of its own. `requirement`: with its version. */
export const pythonProgram = (program: string, requirement: string): Tool => {
  const venv = join(CACHE, 'python', requirement.replaceAll(/[^a-z0-9.]+/gi, '-'));
  return {
    program,
    folders: [join(venv, 'bin')],
    howTo: `pip install '${requirement}'`,
    install: async () => {
      await command('python3', ['-m', 'venv', '--clear', venv], process.env);
      await command(join(venv, 'bin', 'pip'), ['install', '--quiet', requirement], process.env);
    },
  };
};

/**
 * The path of the program: from the PATH, the cache folder, or newly installed. Several processes may ask at once.
 * @throws Error that says what to install
 */
export async function findTool(tool: Tool): Promise<string> {
  const there = await lookFor(tool);
  if (there !== undefined) return there;
  return withLock(join(CACHE, `${tool.program}.lock`), async () => {
    const there = await lookFor(tool);
    if (there !== undefined) return there;
    const reason = await tool.install().then(
      () => 'it is not where it should be after its installation',
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    const installed = await lookFor(tool);
    if (installed !== undefined) return installed;
    throw new Error(
      `The tests need ${tool.program} and could not install it (${reason}). Install it: ${tool.howTo}`,
    );
  });
}

async function lookFor({ program, folders }: Tool): Promise<string | undefined> {
  for (const folder of [...folders, ...(process.env['PATH'] ?? '').split(delimiter)]) {
    const path = join(folder, program);
    if (folder !== '' && (await isExecutable(path))) return path;
  }
  return undefined;
}

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

async function command(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  await run(program, args, { env, timeout: INSTALL_TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 });
}

/** Run `action` while no other process holds the lock; one whose holder is dead is taken over. */
async function withLock<T>(path: string, action: () => Promise<T>): Promise<T> {
  await mkdir(CACHE, { recursive: true });
  while (!(await takeLock(path))) {
    const holder = Number(await readFile(path, 'utf8').catch(() => ''));
    if (holder > 0 && !isAlive(holder)) await rm(path, { force: true });
    else await sleep(500);
  }
  try {
    return await action();
  } finally {
    await rm(path, { force: true });
  }
}

async function takeLock(path: string): Promise<boolean> {
  try {
    const handle = await open(path, 'wx');
    await handle.write(String(process.pid));
    await handle.close();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
