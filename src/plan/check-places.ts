import { access, constants, lstat, mkdir, readdir, realpath, rmdir, stat } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import path from 'node:path';
import { MillraceError, systemCode, toError } from '../runtime/errors.ts';
import { parseSource } from '../source/parse-source.ts';
import { parseStorageUri } from '../storage/uri.ts';

/**
 * Checks what a user named before anything is written: the source is a readable folder or list, and the output is not
 * inside the folder (its annotated images would be labelled by the next run).
 *
 * @throws MillraceError SOURCE_NOT_FOUND, SOURCE_UNREADABLE, OUTPUT_INSIDE_SOURCE, OUTPUT_NOT_WRITABLE, USAGE.
 */
export async function checkPlaces(source: string, output: string): Promise<void> {
  const from = await parseSource(source, process.cwd());
  const to = parseStorageUri(output, process.cwd());
  if (from.kind === 'list') {
    if (from.list.scheme === 'file') await checkListFile(from.list.folder);
  } else if (from.folder.scheme === 'file') {
    await checkSourceFolder(from.folder.folder);
    if (to.scheme === 'file') await checkApart(from.folder.folder, to.folder);
  }
  if (to.scheme === 'file') await checkOutputFolder(to.folder);
}

async function checkSourceFolder(folder: string): Promise<void> {
  const found = await statIfThere(folder, `the folder ${folder}`);
  if (!found) throw new MillraceError('SOURCE_NOT_FOUND', `there is no folder ${folder} to label`);
  if (!found.isDirectory()) {
    throw new MillraceError(
      'SOURCE_NOT_FOUND',
      `${folder} is a file; the source is a folder of images, or a list of them that ends in .txt, .jsonl, .csv or .json`,
    );
  }
  await readdir(folder).catch((error: unknown) => {
    throw unreadable(`the folder ${folder}`, error);
  });
}

async function checkListFile(file: string): Promise<void> {
  const found = await statIfThere(file, `the list ${file}`);
  if (!found) throw new MillraceError('SOURCE_NOT_FOUND', `there is no list ${file} to label`);
  if (!found.isFile()) throw new MillraceError('SOURCE_NOT_FOUND', `${file} is no file; a list is one`);
  await access(file, constants.R_OK).catch((error: unknown) => {
    throw unreadable(`the list ${file}`, error);
  });
}

const statIfThere = (place: string, name: string): Promise<Stats | undefined> =>
  stat(place).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined;
    throw unreadable(name, error);
  });

function unreadable(name: string, cause: unknown): MillraceError {
  return new MillraceError('SOURCE_UNREADABLE', `cannot read ${name}: ${toError(cause).message}`, {
    cause,
  });
}

async function checkOutputFolder(folder: string): Promise<void> {
  const ancestor = await existingAncestor(folder);
  const isFolder = (await stat(ancestor)).isDirectory();
  const problem = isFolder ? await problemWriting(ancestor, folder) : `${ancestor} is not a folder`;
  if (problem === undefined) return;
  throw new MillraceError('OUTPUT_NOT_WRITABLE', `cannot write to ${folder}: ${problem}`);
}

/** Makes the first missing folder and takes it away again: permissions do not tell what a file system like /proc takes. */
async function problemWriting(ancestor: string, folder: string): Promise<string | undefined> {
  try {
    await access(ancestor, constants.W_OK);
    const [missing] = path.relative(ancestor, folder).split(path.sep);
    if (!missing) return undefined;
    await mkdir(path.join(ancestor, missing));
    await rmdir(path.join(ancestor, missing));
    return undefined;
  } catch (error) {
    const code = systemCode(error);
    // Another process makes or uses the folder just now: then it can be written to.
    if (code === 'EEXIST' || code === 'ENOTEMPTY')
      return (await isDanglingLink(folder)) ? `${folder} is a link that leads nowhere` : undefined;
    return code === 'EACCES'
      ? `no permission to write in ${ancestor}`
      : `nothing can be made in ${ancestor} (${toError(error).message})`;
  }
}

const isDanglingLink = async (path: string): Promise<boolean> =>
  (await lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false,
  )) &&
  (await stat(path).then(
    () => false,
    () => true,
  ));

async function checkApart(source: string, output: string): Promise<void> {
  const ancestor = await existingAncestor(output);
  const realOutput = path.join(await realpath(ancestor), path.relative(ancestor, output));
  // A link in the source leads its listing to wherever it points, so the written path counts too.
  if (!isInside(source, output) && !isInside(await realpath(source), realOutput)) return;
  throw new MillraceError(
    'OUTPUT_INSIDE_SOURCE',
    `the output ${output} lies inside the source ${source}, so its annotated images would be labelled too. ` +
      `Choose an output beside the source.`,
  );
}

function isInside(folder: string, place: string): boolean {
  const relative = path.relative(folder, place);
  return relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}

/** The folder itself, or the nearest one above it that is there. */
async function existingAncestor(folder: string): Promise<string> {
  for (let current = folder; ; current = path.dirname(current)) {
    const exists = await stat(current).then(
      () => true,
      () => false,
    );
    if (exists || current === path.dirname(current)) return current;
  }
}
