import type { ClassStyle } from '../draw/annotate-image.ts';
import type { Model } from '../model/model.ts';
import type { Fingerprint } from '../run/documents.ts';
import type { ImageRecord } from '../run/record.ts';
import type { ByteBudget } from '../runtime/byte-budget.ts';
import type { Logger } from '../runtime/log.ts';
import type { Storage } from '../storage/storage.ts';
import type { DecodeLimits } from './decode.ts';
import type { ImagePool } from './image-pool.ts';

/** What a worker has at hand for every shard of a run. */
export interface ShardContext {
  readonly source: Storage;
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
  readonly sourceCanary: () => Promise<void>;
  readonly fingerprint: Fingerprint;
  readonly log: Logger;
  /** Told every image as it ends. */
  readonly onImage: (record: ImageRecord) => void;
}
