/** Plain text tables for terminals: numbers right, words left, no frame. */

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  return formatCells([columns.map(({ title }) => title), ...rows], columns);
}

/** Rows without a head, all columns left unless said otherwise. */
export function formatCells(
  rows: readonly (readonly string[])[],
  columns: readonly Pick<Column, 'align'>[] = rows[0]?.map(() => ({})) ?? [],
): string {
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const pad = (cell: string, i: number) =>
    columns[i]!.align === 'right' ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!);
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}

/** A number as a table shows it: five significant digits, exponents only where needed. */
export function formatNumber(value: number | null | undefined): string {
  if (value === null || value === undefined) return '-';
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return '0';
  const magnitude = Math.abs(value);
  return magnitude >= 1e6 || magnitude < 1e-4 ? value.toExponential(3) : String(Number(value.toPrecision(5)));
}
