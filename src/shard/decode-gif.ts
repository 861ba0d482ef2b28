const HEADER_BYTES = 13;
const EXTENSION = 0x21;
const GRAPHIC_CONTROL = 0xf9;

/**
 * The GIF with its first frame's transparent colour made opaque. Dropping alpha must show the palette's colour there, as
 * Pillow does; libvips has painted nothing by then. Format: GIF89a specification, sections 18 to 24.
 */
export function withOpaqueFirstFrame(gif: Uint8Array): Uint8Array {
  const flagsAt = findTransparencyFlags(gif);
  if (flagsAt === undefined) return gif;
  const opaque = gif.slice();
  opaque[flagsAt]! &= 0b1111_1110;
  return opaque;
}

/** Where the flags of the first frame's graphic control extension are, whose lowest bit says "has a transparent colour". */
function findTransparencyFlags(gif: Uint8Array): number | undefined {
  const screenFlags = gif[10] ?? 0;
  const paletteBytes = screenFlags & 0x80 ? 3 << ((screenFlags & 7) + 1) : 0;
  let at = HEADER_BYTES + paletteBytes;
  while (gif[at] === EXTENSION) {
    if (gif[at + 1] === GRAPHIC_CONTROL) return at + 3 < gif.length ? at + 3 : undefined;
    at = endOfSubBlocks(gif, at + 2);
  }
  return undefined;
}

/** Sub-blocks are a length byte and as many bytes; a length of 0 ends them. */
function endOfSubBlocks(gif: Uint8Array, start: number): number {
  let at = start;
  for (let length = gif[at]; length; length = gif[at]) at += 1 + length;
  return at + 1;
}
