import { isSessionGone } from '../model/run-error.ts';
import { ImageFailure } from '../runtime/image-failure.ts';
import { assertBlankRuns } from './infer.ts';
import type { LostSessions } from './lost-sessions.ts';
import type { OpenedImage } from './open-image.ts';
import { type BatchResult, runBatch } from './run-batch.ts';
import type { ShardContext } from './shard-context.ts';
import { MAX_CRASHES_ALONE, type Suspects } from './suspects.ts';
import { toFailedRecord } from './to-record.ts';

const CRASHED =
  `the process or the inference thread did not survive it, or the inference did not end, ` +
  `each of the ${MAX_CRASHES_ALONE} times that it was run alone`;

/**
 * Runs one image that is suspected, alone in the process. It is blamed with `inference_crashed` once it has ended the
 * process, or the session, that often.
 *
 * @throws MillraceError what says that the session is gone, where the shard cannot go on after it.
 */
export async function runAlone(
  item: OpenedImage,
  suspects: Suspects,
  lost: LostSessions,
  context: ShardContext,
): Promise<BatchResult> {
  const { position, planned, padded } = item;
  while (suspects.crashes(position) < MAX_CRASHES_ALONE) {
    await suspects.beginAlone(position);
    try {
      const result = await runBatch({ padded, items: [item] }, context);
      suspects.endAlone(position);
      return { ...result, splitTo: 1 };
    } catch (error) {
      if (!isSessionGone(error)) {
        suspects.withdrawAlone(position);
        throw error;
      }
      const isBlamed = suspects.crashes(position) >= MAX_CRASHES_ALONE && error.code !== 'PROCESS_UNUSABLE';
      if (!lost.canGoOn(error) && !isBlamed) throw error;
      await assertBlankRuns(context.model).catch((failure: unknown) => {
        suspects.withdrawAlone(position);
        throw failure;
      });
    }
  }
  const record = toFailedRecord(planned, new ImageFailure('inference_crashed', CRASHED));
  return { outcomes: [{ position, record }], networkPixels: { total: 0, padding: 0 }, splitTo: undefined };
}
