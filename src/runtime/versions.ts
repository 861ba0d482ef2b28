import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import { z } from 'zod';
import { packageRoot } from './package-root.ts';

const packageJson = z.object({ version: z.string() });

const versionIn = (file: string | URL): string =>
  packageJson.parse(JSON.parse(readFileSync(file, 'utf8'))).version;

export const MILLRACE_VERSION = versionIn(new URL('package.json', packageRoot));

const require = createRequire(import.meta.url);
export const ONNXRUNTIME_VERSION = versionIn(require.resolve('onnxruntime-node/package.json'));

/** The processor's kind: kernels, and so the last bits of a float, depend on it. */
export const CPU_CLASS = `${os.arch()} ${os.cpus()[0]?.model.trim() ?? 'unknown'}`;
