/** What makes a spreadsheet take a cell for a formula, by OWASP's page on CSV injection. */
const FORMULA_START = /^[=+\-@\t\r\n]/;
const NEEDS_QUOTES = /[",\r\n]/;

/**
 * A line of CSV (RFC 4180, but for the line end, which is `\n`). A cell that a spreadsheet would run as a formula gets
 * a leading apostrophe; a program that reads keys back has to take it off.
 */
export function csvRow(cells: readonly string[]): string {
  return `${cells.map(csvCell).join(',')}\n`;
}

function csvCell(text: string): string {
  const safe = FORMULA_START.test(text) ? `'${text}` : text;
  return NEEDS_QUOTES.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
