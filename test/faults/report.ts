import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Row } from './perform.ts';

/** scenario | injected | images lost | verdict, for people and for Markdown. */
export function toTable(rows: readonly Row[]): string {
  const cells = [
    ['scenario', 'injected', 'images lost', 'verdict', 'seed', 'seconds'],
    ...rows.map(({ scenario, injected, lost, violations, seed, seconds }) => [
      scenario,
      injected,
      lost === undefined ? 'unknown' : String(lost),
      toVerdict(violations),
      String(seed),
      String(seconds),
    ]),
  ];
  const widths =
    cells[0]?.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = cells;
  return `${[line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n')}\n`;
}

function toVerdict([first, ...others]: readonly string[]): string {
  if (first === undefined) return 'holds';
  return others.length === 0 ? first : `${first} (and ${others.length} more)`;
}

export function writeReport(folder: string, rows: readonly Row[]): string {
  const table = toTable(rows);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'report.md'), table);
  return table;
}
