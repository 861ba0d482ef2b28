import { Piscina } from 'piscina';
import type { PoolTask } from './image-pool-thread.ts';
import type { Finished, FinishTask, Prepared, PrepareTask } from './image-tasks.ts';
import { transferableBuffers } from '../runtime/transferable.ts';

/** Threads start from what is built. */
const THREAD = new URL('image-pool-thread.js', import.meta.url);

/** A few threads for what would block the main thread. Image buffers are handed over, not copied. */
export class ImagePool {
  readonly #pool: Piscina<PoolTask, Prepared | Finished>;

  constructor(threads: number) {
    this.#pool = new Piscina({
      filename: THREAD.href,
      name: 'runTask',
      minThreads: threads,
      maxThreads: threads,
      concurrentTasksPerWorker: 1,
      // A thread that waits by Atomics never turns its event loop, and canvases are freed there.
      atomics: 'disabled',
    });
  }

  async prepare(task: PrepareTask): Promise<Prepared> {
    const prepared = await this.#run(
      { kind: 'prepare', task },
      task.images.map(({ pixels }) => pixels),
    );
    if (!('batch' in prepared)) throw new TypeError('the image pool answered another task');
    return prepared;
  }

  async finish(task: FinishTask): Promise<Finished> {
    const views: Uint8Array[] = task.annotate ? [task.annotate.image.pixels] : [];
    const finished = await this.#run({ kind: 'finish', task }, views);
    if (!('detections' in finished)) throw new TypeError('the image pool answered another task');
    return finished;
  }

  #run(request: PoolTask, views: readonly Uint8Array[]): Promise<Prepared | Finished> {
    return this.#pool.run(request, { transferList: transferableBuffers(views) });
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}
