/** The numbers that a training leaves behind, and how they stand in `metrics.jsonl`. Reads and writes no files. */

/** A row of `metrics.jsonl`: the steps since the row before it. */
export interface MetricsRow {
  /** Steps done. */
  readonly step: number;
  /** Mean over the interval: single batches are heavy-tailed. Each step's loss is that of its batch before the update. */
  readonly loss: number;
  /** Steps in the interval. */
  readonly count: number;
  /** Of the last step. */
  readonly learningRate: number;
  /** Mean over the interval, before clipping. */
  readonly gradientNorm: number;
  /** Training time since step 0, over all sittings. */
  readonly seconds: number;
}

/** The text of `metrics.jsonl`. */
export const formatMetrics = (rows: readonly MetricsRow[]): string =>
  rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** Mean loss over the last tenth of the steps, or the last row if none is of these; NaN if there is no row. */
export function finalLoss(metrics: readonly MetricsRow[], steps: number): number {
  // Single batches are heavy-tailed.
  const late = metrics.filter(({ step }) => step > 0.9 * steps);
  const rows = late.length > 0 ? late : metrics.slice(-1);
  const count = rows.reduce((sum, row) => sum + row.count, 0);
  return rows.reduce((sum, row) => sum + row.loss * row.count, 0) / count;
}
