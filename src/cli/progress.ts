import type { WriteStream } from 'node:tty';
import type { Tally } from '../run/tally.ts';

const REDRAW_MS = 200;
const PLAIN_LINE_MS = 10_000;
const BAR_CELLS = 20;
const DUMB_TERMINAL = 'dumb';

export interface Progress {
  readonly images: number;
  readonly tally: Tally;
  /** Images that were done before this process began. */
  readonly resumed: number;
}

/** Shows progress on stderr: one line redrawn on a terminal, else a line every ten seconds. */
export class ProgressReporter {
  readonly #stream: WriteStream;
  readonly #timer: NodeJS.Timeout;
  /** Whether a line can be drawn again. */
  readonly #redraws: boolean;
  #latest: Progress | undefined;
  #startedMs = 0;

  constructor(stream: WriteStream) {
    this.#stream = stream;
    this.#redraws = stream.isTTY && process.env.TERM !== DUMB_TERMINAL;
    this.#timer = setInterval(() => this.#show(), this.#redraws ? REDRAW_MS : PLAIN_LINE_MS);
    this.#timer.unref();
  }

  /** The clock starts at the first call: loading the model is not labelling. */
  update(progress: Progress): void {
    if (!this.#latest) this.#startedMs = performance.now();
    this.#latest = progress;
  }

  end(): void {
    clearInterval(this.#timer);
    if (this.#redraws && this.#latest) this.#stream.write('\r\u001b[K');
  }

  #show(): void {
    if (!this.#latest) return;
    const seconds = (performance.now() - this.#startedMs) / 1000;
    if (this.#redraws)
      this.#stream.write(`\r${fittingLine(this.#latest, seconds, this.#stream.columns || 80)}\u001b[K`);
    else this.#stream.write(`${describeProgress(this.#latest, seconds)}\n`);
  }
}

/** What fits into one row of the terminal, the least important left out first: the failures' classes, the bar. */
export function fittingLine(progress: Progress, seconds: number, columns: number): string {
  const whole = describeProgress(progress, seconds);
  const short = whole.replace(/ \(.*\)$/, '');
  const candidates = [`${bar(progress)} ${whole}`, `${bar(progress)} ${short}`, short];
  return candidates.find((line) => line.length < columns) ?? short.slice(0, columns - 1);
}

/** `12/33 images  4.1 images/s  ETA 0:05  2 failed (truncated 1, empty 1)` */
export function describeProgress({ images, tally, resumed }: Progress, seconds: number): string {
  const done = tally.labelled + tally.failed;
  const rate = seconds > 0 ? Math.max(0, done - resumed) / seconds : 0;
  const eta = rate > 0 ? duration((images - done) / rate) : '-';
  const classes = Object.entries(tally.failures).map(([failureClass, count]) => `${failureClass} ${count}`);
  const failures = tally.failed > 0 ? `  ${tally.failed} failed (${classes.join(', ')})` : '';
  return `${done}/${images} images  ${rate.toFixed(1)} images/s  ETA ${eta}${failures}`;
}

function bar({ images, tally }: Progress): string {
  const share = images > 0 ? Math.min(1, (tally.labelled + tally.failed) / images) : 0;
  const filled = Math.round(share * BAR_CELLS);
  return `[${'='.repeat(filled)}${' '.repeat(BAR_CELLS - filled)}] ${Math.floor(share * 100)}%`;
}

/** `0:05`, `12:40`, `3:02:11`. */
export function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number): string => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
