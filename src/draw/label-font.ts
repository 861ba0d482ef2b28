import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createCanvas, GlobalFonts, type SKRSContext2D } from '@napi-rs/canvas';
import { fontCoverage } from './font-coverage.ts';

const FONT_FILE = join('assets', 'fonts', 'Roboto-Medium.ttf');

/** A name that no installed font has, so that the bundled file is what gets used. */
const FAMILY = 'Millrace Label';

/** Whether the font has a glyph for a character; for others the canvas would look among the installed fonts. */
export type Coverage = (codePoint: number) => boolean;

let coverage: Coverage | undefined;

/**
 * Sets a context to draw text in the bundled font, which is loaded and registered once per thread, and says what the
 * font covers. Nothing is asked of the fonts or the language that a machine happens to have.
 *
 * @throws Error when the package lacks its font, or the file is no font.
 */
export function useLabelFont(context: SKRSContext2D, fontSizePx: number): Coverage {
  coverage ??= registerFont(findInPackage(FONT_FILE));
  context.font = `${fontSizePx}px "${FAMILY}"`;
  context.lang = 'en';
  context.textBaseline = 'alphabetic';
  return coverage;
}

/** The width in pixels of a text in the bundled font. */
export function measureLabel(text: string, fontSizePx: number): number {
  const context = createCanvas(1, 1).getContext('2d');
  useLabelFont(context, fontSizePx);
  return context.measureText(text).width;
}

function registerFont(path: string): Coverage {
  const font = readFileSync(path);
  // The registry is the process's, the same for all its threads; registering a file again replaces it by itself.
  if (GlobalFonts.register(font, FAMILY) === null)
    throw new Error(`${path} is not a font that can be loaded`);
  return fontCoverage(font);
}

/** A file of this package, from the sources and from the built copy of them below `dist/` alike. */
function findInPackage(relativePath: string): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; ; folder = dirname(folder)) {
    const path = join(folder, relativePath);
    if (existsSync(path)) return path;
    if (folder === dirname(folder))
      throw new Error(`${relativePath} is missing from the package at ${start}`);
  }
}
