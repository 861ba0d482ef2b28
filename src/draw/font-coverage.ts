/**
 * Which characters a TrueType font can draw, from its `cmap` table. Of the table's formats only 12 (segmented coverage
 * of all of Unicode) is read, which every font with characters beyond the first 65,536 has, the bundled one among them.
 * https://learn.microsoft.com/typography/opentype/spec/cmap
 */
export function fontCoverage(font: Uint8Array): (codePoint: number) => boolean {
  const view = new DataView(font.buffer, font.byteOffset, font.byteLength);
  const groups = readGroups(view, findFormat12(view, findTable(view, 'cmap')));
  return (codePoint) => groups.some(([first, last]) => first <= codePoint && codePoint <= last);
}

function findTable(view: DataView, tag: string): number {
  const tables = view.getUint16(4);
  for (let record = 12; record < 12 + tables * 16; record += 16) {
    const name = String.fromCharCode(...[0, 1, 2, 3].map((byte) => view.getUint8(record + byte)));
    if (name === tag) return view.getUint32(record + 8);
  }
  throw new Error(`the font has no "${tag}" table`);
}

function findFormat12(view: DataView, cmap: number): number {
  const subtables = view.getUint16(cmap + 2);
  for (let record = cmap + 4; record < cmap + 4 + subtables * 8; record += 8) {
    const subtable = cmap + view.getUint32(record + 4);
    if (view.getUint16(subtable) === 12) return subtable;
  }
  throw new Error('the font has no character map of format 12');
}

function readGroups(view: DataView, subtable: number): (readonly [first: number, last: number])[] {
  return Array.from({ length: view.getUint32(subtable + 12) }, (_, index) => {
    const group = subtable + 16 + index * 12;
    return [view.getUint32(group), view.getUint32(group + 4)] as const;
  });
}
