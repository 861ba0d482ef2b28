import { existsSync } from 'node:fs';

/** The folder of Millrace's own package.json, whether the code runs from `src/` or from `dist/src/`. */
export const packageRoot: URL = findPackageRoot(new URL('.', import.meta.url));

function findPackageRoot(folder: URL): URL {
  if (existsSync(new URL('package.json', folder))) return folder;
  const parent = new URL('..', folder);
  if (parent.href === folder.href) throw new Error('Millrace is installed without its package.json');
  return findPackageRoot(parent);
}
