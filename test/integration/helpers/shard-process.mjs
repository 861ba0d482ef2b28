/**
 * A worker of one shard, with the built code and a session that minds magenta images; started by `shard-faults.test.ts`
 * with one argument, JSON: {source, model, output, notes?, poison, generation?}. Prints what came of the shard.
 */
import { loadConfig } from '../../../dist/config/load.js';
import { openModelFile } from '../../../dist/src/model/model.js';
import { loadModelPackage } from '../../../dist/src/model/package.js';
import { MillraceError } from '../../../dist/src/runtime/errors.js';
import { withLifetime } from '../../../dist/src/runtime/lifetime.js';
import { createLogger } from '../../../dist/src/runtime/log.js';
import { openEngine } from '../../../dist/src/shard/engine.js';
import { folderNotes } from '../../../dist/src/shard/folder-notes.js';
import { processShard } from '../../../dist/src/shard/process-shard.js';
import { openSource } from '../../../dist/src/source/open-source.js';
import { openFileStorage } from '../../../dist/src/storage/file.js';

const { source: folder, model, output, notes, poison, generation = 0 } = JSON.parse(process.argv[2]);
const batches = [];
const stages = new Set();
const outcomes = [];
let halvings = 0;
let sessions = 0;
let isBroken = false;

/** Images that are magenta in the corner. */
function magentas({ data, dims: [images, height, width] }) {
  const isMagenta = (n) => {
    const at = n * height * width * 3;
    return data[at] === 255 && data[at + 1] === 0 && data[at + 2] === 255;
  };
  return Array.from({ length: images }, (_, n) => n).filter(isMagenta).length;
}

const POISONS = {
  none: () => undefined,
  kill: () => process.kill(process.pid, 'SIGKILL'),
  abort: () => process.abort(),
  throw: () => {
    throw new MillraceError('INFERENCE_FAILED', 'ONNX Runtime: no magenta');
  },
  lose: () => {
    throw new MillraceError('SESSION_LOST', 'the inference thread is gone');
  },
  hang: () => {
    throw new MillraceError('INFERENCE_TIMEOUT', 'an inference did not end');
  },
  break: () => {
    isBroken = true;
    throw new MillraceError('INFERENCE_FAILED', 'ONNX Runtime: no magenta');
  },
};

async function openSession(file, options) {
  const session = await openModelFile(file, options);
  sessions += 1;
  return {
    signature: session.signature,
    close: () => session.close(),
    run: async (feeds) => {
      if (isBroken) throw new MillraceError('INFERENCE_FAILED', 'ONNX Runtime: broken');
      if (poison === 'memory') {
        const [images, height] = feeds.images.dims;
        // The model's own probe is smaller.
        if (images > 2 && height > 128)
          throw new MillraceError('INFERENCE_OUT_OF_MEMORY', 'ONNX Runtime: Failed to allocate memory');
      } else if (magentas(feeds.images) > 0) POISONS[poison]();
      return session.run(feeds);
    },
  };
}

const result = await withLifetime(async (lifetime) => {
  const config = loadConfig({ flags: { threads: 1, imageThreads: 1, annotate: false }, environment: {} });
  const observer = {
    stage: (stage, seconds) => stages.add(seconds >= 0 ? stage : `${stage} of ${seconds}`),
    batch: (images) => batches.push(images),
    memoryHalved: () => (halvings += 1),
    image: (outcome) => outcomes.push(outcome),
  };
  const engine = await openEngine(await loadModelPackage(model), config, lifetime, { openSession, observer });
  const source = await openSource(folder);
  const images = [];
  for await (const { key } of source.list()) images.push({ id: images.length + 1, key });
  const context = {
    ...engine,
    source,
    output: openFileStorage(output),
    scoreThreshold: 0.05,
    maxImageBytes: 1e6,
    decodeLimits: { maxPixels: 1e6, timeoutSeconds: 60 },
    log: createLogger('silent'),
    onImage: () => undefined,
    ...(notes && { notes: folderNotes(notes, 0, generation) }),
  };
  try {
    const commit = await processShard(
      { shard: 0, generation },
      images,
      context,
      new AbortController().signal,
    );
    return { commit };
  } catch (error) {
    return { error: { code: error.code, message: error.message, retry: error.retry } };
  }
});
process.stdout.write(
  JSON.stringify({ ...result, batches, halvings, sessions, outcomes, stages: [...stages] }),
);
