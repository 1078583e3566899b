/** The last lines of `icl reproduce`: what was claimed, what was found, where the report is. */
import { relative } from 'node:path';
import { showNumber, showZ } from './numbers.ts';
import type { ReproduceResult } from './study.ts';

const columns = ['theory', 'measured', 'std. error', 'z'] as const;

/** `24 s`, and what it lacks. */
export const timeTaken = ({ seconds, reusedModels }: ReproduceResult): string =>
  reusedModels === 0
    ? `${seconds.toFixed(0)} s`
    : `${seconds.toFixed(0)} s (without the training of ${reusedModels} model${reusedModels === 1 ? '' : 's'}, done before)`;

/** Lines for a terminal. */
export function formatSummary(result: ReproduceResult): string[] {
  const { claims, report, files, study, omitted } = result;
  const rows = claims.map(({ statement, theory, measured, standardError, z, verdict, holds, explanation }) => ({
    statement,
    explanation,
    cells: [showNumber(theory), showNumber(measured), showNumber(standardError, 2), showZ(z)],
    verdict: holds ? verdict : `FLAGGED: ${verdict}`,
  }));
  const wide = Math.max(5, ...rows.map(({ statement }) => statement.length));
  const widths = columns.map((title, i) => Math.max(title.length, ...rows.map(({ cells }) => cells[i]!.length)));
  const line = (statement: string, cells: readonly string[], verdict: string) =>
    `${statement.padEnd(wide)}  ${cells.map((cell, i) => cell.padStart(widths[i]!)).join('  ')}  ${verdict}`.trimEnd();
  const failed = claims.filter(({ holds }) => !holds).length;
  const found =
    failed === 0
      ? `all ${claims.length} claims hold`
      : `${failed} of ${claims.length} claims flagged: look at them in the report`;
  const shown = relative(process.cwd(), report);
  return [
    line('claim', columns, 'verdict'),
    ...rows.flatMap(({ statement, cells, verdict, explanation }) => [
      line(statement, cells, verdict),
      ...(explanation === undefined ? [] : [`  because ${explanation}`]),
    ]),
    '',
    ...omitted.map(
      ({ name, title }) =>
        `left out, since it takes long: ${name} (${title}); icl reproduce ${study.name} ${name} --quick`,
    ),
    `${study.paper.authors} (${study.paper.year}): ${found}; ${files.length} files in ${timeTaken(result)}.`,
    `report: ${shown.startsWith('..') ? report : shown}`,
  ];
}
