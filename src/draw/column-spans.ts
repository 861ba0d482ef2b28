/**
 * A binary mask as spans of set pixels, column by column: what COCO's column-major run lengths become when they are
 * cut at the columns' ends. Small, exact, and enough to fill a mask and to trace its contour.
 */
export interface ColumnSpans {
  /** The x of `columns[0]`. */
  readonly left: number;
  /** For each column, the spans of rows that are set: start, end (exclusive), start, end, ..., ascending. */
  readonly columns: readonly Spans[];
}

type Spans = readonly number[];

const NONE: Spans = [];

/** `runs`: lengths of zeros, ones, zeros, ... down the columns of an image `height` rows high. */
export function columnSpans(runs: ArrayLike<number>, height: number): ColumnSpans {
  let left = 0;
  const columns: number[][] = [];
  let position = 0;
  for (let index = 0; index < runs.length; index++) {
    const end = position + runs[index]!;
    if (index % 2 === 1 && end > position) {
      if (columns.length === 0) left = Math.floor(position / height);
      appendRun(columns, left, position, end, height);
    }
    position = end;
  }
  return { left, columns };
}

function appendRun(columns: number[][], left: number, start: number, end: number, height: number): void {
  for (let from = start; from < end;) {
    const x = Math.floor(from / height);
    const to = Math.min(end, (x + 1) * height);
    while (columns.length <= x - left) columns.push([]);
    const spans = columns[x - left]!;
    const top = from - x * height;
    // A run of no zeros between two runs of ones, which the format allows, must not become a gap.
    if (spans.at(-1) === top) spans.pop();
    else spans.push(top);
    spans.push(to - x * height);
    from = to;
  }
}

/** The mask's inner rim: its pixels that lie within `widthPx` of a pixel outside the mask (or outside the image). */
export function contourSpans(mask: ColumnSpans, widthPx: number): ColumnSpans {
  return {
    left: mask.left,
    columns: mask.columns.map((spans, x) => subtract(spans, eroded(mask, x, widthPx))),
  };
}

/** Column `x` (from `left`) of the mask eroded by a disk of `radius` pixels. */
function eroded({ columns }: ColumnSpans, x: number, radius: number): Spans {
  let inner = shrink(columns[x] ?? NONE, radius);
  for (let dx = 1; dx <= radius && inner.length > 0; dx++) {
    const dy = Math.floor(Math.sqrt(radius * radius - dx * dx));
    inner = intersect(inner, shrink(columns[x - dx] ?? NONE, dy));
    inner = intersect(inner, shrink(columns[x + dx] ?? NONE, dy));
  }
  return inner;
}

function shrink(spans: Spans, by: number): Spans {
  if (by === 0) return spans;
  const result: number[] = [];
  for (let index = 0; index < spans.length; index += 2)
    pushSpan(result, spans[index]! + by, spans[index + 1]! - by);
  return result;
}

function intersect(a: Spans, b: Spans): Spans {
  const result: number[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    pushSpan(result, Math.max(a[i]!, b[j]!), Math.min(a[i + 1]!, b[j + 1]!));
    if (a[i + 1]! < b[j + 1]!) i += 2;
    else j += 2;
  }
  return result;
}

/** `a` without `b`, where every span of `b` lies inside one of `a`. */
function subtract(a: Spans, b: Spans): Spans {
  const result: number[] = [];
  for (let i = 0, j = 0; i < a.length; i += 2) {
    let start = a[i]!;
    for (; j < b.length && b[j]! < a[i + 1]!; j += 2) {
      pushSpan(result, start, b[j]!);
      start = b[j + 1]!;
    }
    pushSpan(result, start, a[i + 1]!);
  }
  return result;
}

function pushSpan(spans: number[], start: number, end: number): void {
  if (start < end) spans.push(start, end);
}
