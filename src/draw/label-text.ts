/** Longer class names are cut, so that one label does not run across its neighbours. */
const MAX_NAME_LENGTH = 40;

/** Names cut shorter than this, with the ellipsis, say nothing. */
const MIN_CUT_LENGTH = 4;

const ELLIPSIS = '…';

/** Controls, direction marks, joiners and other characters that draw nothing, but for white space. */
const INVISIBLE = /(?!\s)[\p{Cc}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * A class name as one line of drawable characters: white space collapsed, accents composed, controls removed, what
 * the font does not have replaced by U+FFFD (which it must have), over-long names cut with an ellipsis.
 */
export function labelName(name: string, covers: (codePoint: number) => boolean): string {
  const line = name.normalize('NFC').replace(INVISIBLE, '').replace(/\s+/gu, ' ').trim();
  const drawable = Array.from(line, (character) =>
    covers(character.codePointAt(0) ?? 0) ? character : '\uFFFD',
  );
  return shorten(drawable, MAX_NAME_LENGTH);
}

/**
 * The longest label that fits: `name: 98.3%`, then with the name cut shorter, then `98.3%` alone; null where not
 * even that fits. `score` is 0..1; `measure` gives the width of a text in the unit of `maxWidth`.
 */
export function fitLabel(
  name: string,
  score: number,
  maxWidth: number,
  measure: (text: string) => number,
): string | null {
  const percent = `${(score * 100).toFixed(1)}%`;
  const characters = Array.from(name);
  const shortest = Math.min(characters.length, MIN_CUT_LENGTH);
  for (let length = characters.length; length >= shortest && length > 0; length--) {
    const label = `${shorten(characters, length)}: ${percent}`;
    if (measure(label) <= maxWidth) return label;
  }
  return measure(percent) <= maxWidth ? percent : null;
}

/** At most `length` characters, the last an ellipsis where some are cut off. */
function shorten(characters: readonly string[], length: number): string {
  if (characters.length <= length) return characters.join('');
  return (
    characters
      .slice(0, length - 1)
      .join('')
      .trimEnd() + ELLIPSIS
  );
}
