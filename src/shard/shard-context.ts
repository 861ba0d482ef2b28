import type { ClassStyle } from '../draw/annotate-image.ts';
import type { Model } from '../model/model.ts';
import type { Fingerprint } from '../run/documents.ts';
import type { ImageRecord } from '../run/record.ts';
import type { ByteBudget } from '../runtime/byte-budget.ts';
import type { Logger } from '../runtime/log.ts';
import type { SharedLock } from '../runtime/shared-lock.ts';
import type { Source } from '../source/source.ts';
import type { Storage } from '../storage/storage.ts';
import type { BatchMemory } from './batch-memory.ts';
import type { DecodeLimits } from './decode.ts';
import type { ImagePool } from './image-pool.ts';
import type { ShardNotes } from './shard-notes.ts';
import type { StageObserver } from './stage-observer.ts';

/** What a worker has at hand for every shard of a run. */
export interface ShardContext {
  readonly source: Source;
  readonly output: Storage;
  readonly model: Model;
  readonly pool: ImagePool;
  readonly pixelBudget: ByteBudget;
  readonly batchSize: number;
  readonly scoreThreshold: number;
  /** How to draw; nothing is drawn without it. */
  readonly annotation?: { readonly styles: readonly ClassStyle[]; readonly minScore: number };
  readonly maxImageBytes: number;
  readonly decodeLimits: DecodeLimits;
  readonly fingerprint: Fingerprint;
  readonly memory: BatchMemory;
  /** Batches run beside each other; an image that is suspected of killing its process runs alone in it. */
  readonly turns: SharedLock;
  /** What survives a death of the process, of this shard; without it an image that kills the process does so again. */
  readonly notes?: ShardNotes;
  readonly observer: StageObserver;
  readonly log: Logger;
  /** Told every image as it ends. */
  readonly onImage: (record: ImageRecord) => void;
}
