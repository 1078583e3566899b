/** All rows of a measurement as a table, with the columns of `icl evaluate`, and as files. */
import { html, type TemplateResult } from 'lit';
import type { EvaluationRow } from '../../../../infer/evaluate.ts';
import { showNumber, showZ } from '../../../../studies/numbers.ts';
import { download, type Table } from '../../components/download.ts';
import type { MeasureProgress } from '../../worker/methods/robustness.ts';

/** The columns of a file, in the order of a row. */
const columns = [
  ...['study', 'model', 'shift', 'level', 'contextLength', 'estimator', 'measure', 'risk', 'standardError', 'prompts'],
  ...['theory', 'provider', 'seed'],
] as readonly (keyof EvaluationRow)[];

export const tableOf = (rows: readonly EvaluationRow[]): Table => ({
  columns,
  rows: rows.map((row) => columns.map((column) => row[column])),
});

/** What `icl evaluate --json` prints. */
export const jsonLinesOf = (rows: readonly EvaluationRow[]): string =>
  rows.map((row) => `${JSON.stringify(row)}\n`).join('');

export function rowsView({ rows, z }: Pick<MeasureProgress, 'rows' | 'z'>, name: string): TemplateResult {
  return html`
    <h3 id="robustness-rows">All numbers</h3>
    <div class="rows" role="region" aria-labelledby="robustness-rows" tabindex="0">
      <table>
        <thead>
          <tr>
            <th scope="col">shift</th>
            <th scope="col" class="numeric">level</th>
            <th scope="col" class="numeric">length</th>
            <th scope="col">who answers</th>
            <th scope="col">measure</th>
            <th scope="col" class="numeric">risk</th>
            <th scope="col" class="numeric">std. error</th>
            <th scope="col" class="numeric">theory</th>
            <th scope="col" class="numeric"><abbr title="(risk - theory) / standard error">z</abbr></th>
            <th scope="col" class="numeric">prompts</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map((row, i) => line(row, z[i] ?? null))}
        </tbody>
      </table>
    </div>
    <p>
      <small>
        z is how many standard errors the risk is from theory. All points have the same random numbers, so their z go together:
        take another seed before you believe a large one.
      </small>
    </p>
    <div class="figure-tools">
      <button
        type="button"
        class="quiet"
        @click=${() => download(`${name}.jsonl`, jsonLinesOf(rows), 'application/jsonl')}
      >
        JSON Lines
      </button>
    </div>
  `;
}

const line = (row: EvaluationRow, z: number | null): TemplateResult => html`
  <tr>
    <td>${row.shift ?? 'none'}</td>
    <td class="numeric">${showNumber(row.level)}</td>
    <td class="numeric">${row.contextLength}</td>
    <td>${row.estimator}</td>
    <td>${row.measure}</td>
    <td class="numeric">${showNumber(row.risk)}</td>
    <td class="numeric">${showNumber(row.standardError)}</td>
    <td class="numeric">${showNumber(row.theory)}</td>
    <td class="numeric">${showZ(z)}</td>
    <td class="numeric">${row.prompts}</td>
  </tr>
`;
