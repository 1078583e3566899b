/** Measured rows as points of a chart and as a table. */
import type { MeasuredPoint } from '../figures/marks.ts';
import type { ReportTable } from '../report.ts';
import type { RunRow } from '../reproduce.ts';

export const pointsOf = (
  rows: readonly RunRow[],
  x: (row: RunRow) => number,
  y = (risk: number) => risk,
): MeasuredPoint[] => rows.map((row) => ({ x: x(row), y: y(row.risk), standardError: row.standardError }));

export const lengthOfRow = ({ contextLength }: RunRow) => contextLength;
export const accuracy = (errorRate: number) => 1 - errorRate;

/** Rows as a table, by model, length or level, and measure. */
export const tableOf = (rows: readonly RunRow[]): ReportTable => ({
  columns: ['model', 'answers', 'shift', 'M', 'measure', 'measured', 'std. error', 'of this W'],
  rows: rows.map((row) => [
    row.run,
    row.estimator,
    row.shift === null ? '' : `${row.shift} ${row.level}`,
    row.contextLength,
    row.measure,
    row.risk,
    row.standardError,
    row.theory ?? '',
  ]),
});
