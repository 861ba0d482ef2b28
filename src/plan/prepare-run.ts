import type { Config } from '../../config/schema.ts';
import type { ModelManifest } from '../model/manifest.ts';
import { readControl } from '../run/control.ts';
import type { RunDocument, SuccessDocument } from '../run/documents.ts';
import { readSuccess } from '../run/read-write.ts';
import { assertUriAllowed } from '../source/allowed-uris.ts';
import { openSource } from '../source/open-source.ts';
import { openStorage } from '../storage/open.ts';
import type { Storage } from '../storage/storage.ts';
import { checkPlaces } from './check-places.ts';
import { describeRun } from './describe-run.ts';
import { assertHasImages } from './list-images.ts';
import { findRun } from './open-run.ts';

export interface PreparedRun {
  /** What `run.json` is to say; nothing is written yet. */
  readonly wanted: RunDocument;
  readonly output: Storage;
  /** Set where the run is complete already. */
  readonly complete?: SuccessDocument;
}

/**
 * Checks what was asked for, without writing anything.
 *
 * @throws MillraceError for a source or an output that cannot be used, or that holds another run.
 */
export async function prepareRun(
  places: { readonly source: string; readonly output: string },
  manifest: ModelManifest,
  config: Config,
): Promise<PreparedRun> {
  await checkPlaces(places.source, places.output);
  const source = await openSource(places.source, { allowedUris: config.allowedUris });
  await assertUriAllowed(places.output, config.allowedUris);
  const output = await openStorage(places.output);
  const wanted = describeRun({ source, output }, manifest, config);
  const found = await findRun(output, wanted);
  const complete = found && (await completionOf(output));
  if (complete) return { wanted, output, complete };
  await assertHasImages(source);
  return { wanted, output };
}

/** The counts of a run that has nothing left to do. */
export async function completionOf(output: Storage): Promise<SuccessDocument | undefined> {
  const success = await readSuccess(output);
  if (!success) return undefined;
  const { generation } = await readControl(output);
  return success.generation >= generation ? success : undefined;
}
