/** Figures 2 and 3: how errors change with the context length, and from which length on more of it hurts. */
import { lengthMinimum, ridgelessIclRisk, ridgelessIdgRisk } from '../../models/theory/lu2024.ts';
import { drawFieldMap, type Field } from '../figures/field-map.ts';
import { geometricGrid, linearGrid } from '../figures/grids.ts';
import { type ChartPanel, type ChartSeries, drawLineChart } from '../figures/line-chart.ts';
import type { FigurePlan } from '../reproduce.ts';
import { curve, gridTable, measuredAt, unique } from './figure-rows.ts';
import type { GridResult } from './grid.ts';

/** A panel of Figure 2: which error, at which tau and rho. */
export interface LengthPanel {
  readonly title: string;
  readonly of: 'iclRisk' | 'idgRisk';
  readonly results: readonly GridResult[];
}

/** Figure 2. */
export function contextLength(panels: readonly LengthPanel[]): FigurePlan {
  const alphas = geometricGrid(0.7, 1500, 160);
  const { d } = panels[0]!.results[0]!.point;
  const panelOf = ({ title, of, results }: LengthPanel): ChartPanel => {
    const kappas = unique(results.map(({ point }) => point.phase.kappa));
    const { phase } = results[0]!.point;
    const risk = of === 'iclRisk' ? ridgelessIclRisk : ridgelessIdgRisk;
    return {
      title,
      x: { label: 'context length α = l/d', type: 'log', low: 0.9, high: 1300 },
      y: {
        label: of === 'iclRisk' ? 'error on fresh tasks' : 'error on pretraining tasks',
        type: 'log',
      },
      series: kappas.map((kappa, i): ChartSeries => {
        const least = lengthMinimum(of, { ...phase, kappa });
        return {
          label: kappaRanks[i]!,
          theory: curve(alphas, (alpha) => risk({ ...phase, kappa, alpha })),
          measured: results
            .filter(({ point }) => point.phase.kappa === kappa)
            .map((result) => measuredAt(result.phase.alpha, result[of])),
          ...(least === null
            ? {}
            : {
                reference: [
                  { x: least.alpha, y: least.risk * 0.93 },
                  { x: least.alpha, y: least.risk * 1.08 },
                ],
              }),
        };
      }),
    };
  };
  return {
    name: 'context-length',
    caption:
      'Errors without a ridge against context length, each panel at its own τ and ρ with five task diversities κ in rising order: ' +
      `${panels.map(({ title, results }) => `${title}: κ = ${unique(results.map(({ point }) => point.phase.kappa)).join(', ')}`).join('; ')}. ` +
      `Points are draws at d = ${d}. A short dashed stroke marks the least point of a curve that has one: from there on longer contexts ` +
      'hurt, and where κ < min(τ, 1) the error on fresh tasks grows without bound.',
    draw: (context) =>
      drawLineChart(context, {
        description: 'Errors against context length: many curves fall to a least point and rise again.',
        panels: panels.map(panelOf),
        words: { measured: `draws, d = ${d}`, theory: 'limit of large d', reference: 'least point' },
        columns: 3,
        height: 240,
      }),
    table: gridTable(panels.flatMap(({ results }) => results)),
  };
}

const kappaRanks = ['least κ', 'second', 'third', 'fourth', 'greatest κ'] as const;

const lengthMaps = [
  { title: 'A  fresh tasks, τ = 0.5', of: 'iclRisk', tau: 0.5, marks: [0.1, 0.2, 0.4, 0.5, 0.6, 1.5] },
  { title: 'B  pretraining tasks, τ = 0.5', of: 'idgRisk', tau: 0.5, marks: [0.5, 0.1, 0.3, 0.5, 0.7, 2] },
  { title: 'C  fresh tasks, τ = 20', of: 'iclRisk', tau: 20, marks: [0.5, 0.25, 0.75, 1, 1.1, 2] },
] as const;

/** The maps of Figure 3, from closed forms alone. */
export function lengthFields(columns: number, rows: number, count: number): readonly Field[] {
  const x = linearGrid(0.1, 2.1, columns);
  const y = linearGrid(0.01, 1, rows);
  return lengthMaps.map(({ title, of, tau, marks: [rho, ...kappas] }) => ({
    title,
    x,
    y,
    values: y.map((noise) =>
      x.map((kappa) => lengthMinimum(of, { tau, kappa, rho: noise }, { low: 1e-2, high: 1e3, count })?.alpha ?? null),
    ),
    guide: Math.min(tau, 1),
    points: kappas.map((kappa, i) => ({ x: kappa, y: rho, label: 'abcde'[i]! })),
  }));
}

/** Figure 3. */
export function lengthMap(fields: readonly Field[]): FigurePlan {
  const share = ({ values }: Field) => values.flat().filter((value) => value !== null).length / values.flat().length;
  return {
    name: 'length-map',
    caption:
      'The context length α from which on longer contexts hurt, without a ridge, over task diversity and noise; grey: the error only ' +
      'falls. Right of the line κ = min(τ, 1) the error on fresh tasks stays finite, and there is still a band in which it is not ' +
      'monotone. The letters stand where the curves of the figure above are taken.',
    draw: (context) =>
      drawFieldMap(context, {
        fields,
        thresholds: [3, 6, 12, 25, 50, 100, 300],
        xLabel: 'task diversity κ',
        yLabel: 'noise ρ',
        valueName: 'α',
        absentName: 'only falls',
        guideName: 'κ = min(τ, 1)',
        description: `Maps of the best context length over kappa and rho; it exists on ${fields.map((field) => `${Math.round(100 * share(field))} %`).join(', ')} of them.`,
      }),
    table: {
      columns: ['map', 'κ', 'ρ', 'α of the least point'],
      rows: fields.flatMap(({ title, x, y, values }) =>
        [0, 0.5, 1].flatMap((v) =>
          [0, 0.25, 0.5, 0.75, 1].map((u) => {
            const [i, j] = [Math.round(v * (y.length - 1)), Math.round(u * (x.length - 1))];
            return [title, x[j]!, y[i]!, values[i]![j] ?? 'only falls'];
          }),
        ),
      ),
    },
  };
}
