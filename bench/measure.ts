import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { z } from 'zod';
import { loadConfig } from '../config/load.ts';
import { runDataset } from '../src/flow.ts';
import { openModel } from '../src/model/model.ts';
import { loadModelPackage } from '../src/model/package.ts';
import { createLogger } from '../src/runtime/log.ts';
import { prepareBatches } from './prepare-batches.ts';

export const measurement = z.object({
  images: z.number(),
  batches: z.number(),
  endToEndImagesPerSecond: z.number(),
  bareImagesPerSecond: z.number(),
  cpuShare: z.number(),
  paddingShare: z.number(),
  eventLoopDelayMs: z.object({ p50: z.number(), p99: z.number(), max: z.number() }),
  peakMiB: z.number(),
});

export type Measurement = z.infer<typeof measurement>;

const NS_PER_MS = 1e6;
const KIB_PER_MIB = 1024;

/** The whole way first, then bare inference on the same batches. */
export async function measure(source: string, model: string): Promise<Measurement> {
  const whole = await measureRun(source, model);
  const peakMiB = process.resourceUsage().maxRSS / KIB_PER_MIB;
  const bare = await measureBare(source, model);
  return { ...whole, ...bare, peakMiB };
}

/** From the plan to `_SUCCESS`: a run of any length pays the loading of model and queue once. */
async function measureRun(
  source: string,
  model: string,
): Promise<Omit<Measurement, 'bareImagesPerSecond' | 'batches' | 'peakMiB'>> {
  const output = await mkdtemp(join(os.tmpdir(), 'millrace-bench-'));
  const config = loadConfig({ flags: {}, environment: process.env });
  const delay = monitorEventLoopDelay({ resolution: 1 });
  let [startedMs, startedCpu] = [0, process.cpuUsage()];
  const report = await runDataset({
    source,
    model,
    output,
    config,
    log: createLogger(config.logLevel ?? 'warn'),
    signal: new AbortController().signal,
    onProgress: () => {
      delay.enable();
      [startedMs, startedCpu] = [performance.now(), process.cpuUsage()];
    },
  });
  const seconds = (performance.now() - startedMs) / 1000;
  const cpu = process.cpuUsage(startedCpu);
  delay.disable();
  await rm(output, { recursive: true });
  return {
    images: report.images,
    endToEndImagesPerSecond: report.images / seconds,
    cpuShare: (cpu.user + cpu.system) / 1e6 / os.availableParallelism() / seconds,
    paddingShare: report.networkPixels.padding / report.networkPixels.total,
    eventLoopDelayMs: {
      p50: delay.percentile(50) / NS_PER_MS,
      p99: delay.percentile(99) / NS_PER_MS,
      max: delay.max / NS_PER_MS,
    },
  };
}

/** `session.run` on ready batches, one after another, in the inference thread. */
async function measureBare(
  source: string,
  model: string,
): Promise<Pick<Measurement, 'bareImagesPerSecond' | 'batches'>> {
  const threads = os.availableParallelism();
  const opened = await openModel(await loadModelPackage(model), { provider: 'cpu', threads });
  try {
    let [images, batches, milliseconds] = [0, 0, 0];
    for await (const batch of prepareBatches(source, opened)) {
      const feeds = opened.contract.feeds(batch, opened.session.signature);
      const startedMs = performance.now();
      await opened.session.run(feeds);
      milliseconds += performance.now() - startedMs;
      images += batch.batchSize;
      batches += 1;
    }
    return { batches, bareImagesPerSecond: (images / milliseconds) * 1000 };
  } finally {
    await opened.close();
  }
}
