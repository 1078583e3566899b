/** The rows of an evaluation as a table, as it stands under a figure. */
import { zScore } from './claims.ts';
import { showZ } from './numbers.ts';
import type { ReportTable } from './report.ts';
import type { RunRow } from './reproduce.ts';

/** @param labels What runs are called, by their names. */
export function rowsTable(rows: readonly RunRow[], labels: ReadonlyMap<string, string>): ReportTable {
  return {
    columns: ['model', 'shift', 'level', 'M', 'estimator', 'risk', 'std. error', 'theory', 'z', 'prompts'],
    rows: rows.map(({ run, shift, level, contextLength, estimator, risk, standardError, theory, prompts }) => [
      labels.get(run) ?? run,
      shift ?? 'none',
      level,
      contextLength,
      estimator,
      risk,
      standardError,
      theory,
      theory === null ? '–' : showZ(zScore({ theory, measured: risk, standardError })),
      prompts,
    ]),
  };
}
