/** The figures of what ONNX Runtime measured: shifts of the trained model, and the variants. */

import { shiftNamed } from '../../models/shifts/index.ts';
import type { FeatureRegressionSpec } from '../../models/tasks/feature-regression.ts';
import { geometricGrid, linearGrid } from '../figures/grids.ts';
import { type ChartPanel, type ChartSeries, drawLineChart } from '../figures/line-chart.ts';
import type { MeasuredPoint } from '../figures/marks.ts';
import { color, seriesAt } from '../figures/theme.ts';
import type { FigurePlan, RunRow, TrainedModel } from '../reproduce.ts';
import { rowsTable } from '../rows-table.ts';
import { linearRisk } from './claims.ts';
import { exactStates, type Findings, lengthOf, type Probed, stepGrid } from './findings.ts';
import { exactRisk, taskOf, valueWeightOf } from './law.ts';

/** What runs are called. */
const labelsOf = (models: readonly TrainedModel[]) => new Map(models.map(({ plan }) => [plan.name, plan.label]));

const points = (rows: readonly RunRow[], x: (row: RunRow) => number): MeasuredPoint[] =>
  rows.map((row) => ({ x: x(row), y: row.risk, standardError: row.standardError }));

const missingRisk = ({ probabilities }: FeatureRegressionSpec, M: number): number =>
  probabilities.reduce((sum, p) => sum + p * (1 - p) ** M, 0);

/** A sum that a logarithmic axis can show. */
const visible = ({ y }: { readonly y: number }): boolean => y > 1e-5;

function lengthPanel({ main, lengthRows }: Findings): ChartPanel {
  const { model } = main[0]!;
  const task = taskOf(model.plan.settings);
  const exact = exactRisk(model.run.frozen);
  const lengths = lengthRows.map(({ contextLength }) => contextLength);
  const grid = [...new Set(geometricGrid(Math.min(...lengths), Math.max(...lengths), 30).map(Math.round))];
  const of = (estimator: string) => lengthRows.filter((row) => row.estimator === estimator);
  return {
    title: 'Test length',
    x: { label: 'pairs M in the test prompt', type: 'log' },
    y: { label: 'risk', type: 'log' },
    series: [
      {
        label: 'softmax attention',
        ...seriesAt(0),
        measured: points(of('model'), ({ contextLength }) => contextLength),
        theory: grid.map((M) => ({ x: M, y: exact(task, M) })),
      },
      {
        label: 'least squares',
        color: color.muted,
        mark: 'times',
        measured: points(of('least-squares'), ({ contextLength }) => contextLength).filter(visible),
        theory: grid.map((M) => ({ x: M, y: missingRisk(task, M) })).filter(visible),
      },
    ],
    guides: [{ axis: 'x', at: lengthOf(model.plan.settings), style: 'dot' }],
  };
}

const shiftPanels = [
  { name: 'feature-probability', title: 'Other frequencies', label: 'probability of the first feature at test' },
  { name: 'query-probability', title: 'Other queries', label: 'probability that it is asked for' },
  { name: 'response-noise', title: 'Label noise', label: 'noise variance' },
] as const;

function shiftPanel({ main, shiftRows }: Findings, { name, title, label }: (typeof shiftPanels)[number]): ChartPanel {
  const { model } = main[0]!;
  const task = taskOf(model.plan.settings);
  const exact = exactRisk(model.run.frozen);
  const rows = shiftRows.filter(({ shift, estimator }) => shift === name && estimator === 'model');
  const levels = rows.map(({ level }) => level!);
  const shift = shiftNamed(name);
  const M = lengthOf(model.plan.settings);
  return {
    title,
    x: { label, type: 'linear' },
    y: { label: 'risk', type: 'linear', low: 0 },
    series: [
      {
        label: 'softmax attention',
        ...seriesAt(0),
        measured: points(rows, ({ level }) => level!),
        theory: linearGrid(Math.min(...levels), Math.max(...levels), 19).map((level) => ({
          x: level,
          y: exact(shift.apply(task, level), M),
        })),
      },
    ],
  };
}

function shiftsFigure(findings: Findings): FigurePlan {
  const panels = [lengthPanel(findings), ...shiftPanels.map((panel) => shiftPanel(findings, panel))];
  return {
    name: 'shifts',
    caption:
      'The trained model on ONNX Runtime (points), on the exact risk of its own matrix (lines). Longer prompts help until the target’s ' +
      'attention is what training made it; shorter ones lack the query’s feature, which least squares cannot help either. The ' +
      'columns of VᵀQV are fixed, so attention at other frequencies p′ is p′_k e^{A_k}/…: where the formerly common feature is rare, the ' +
      'model does worse. Label noise enters once more, through the few pairs that are attended to.',
    draw: (context) =>
      drawLineChart(context, {
        description:
          'Risk against test length, feature probability, query probability and label noise; points on exact curves.',
        panels,
        words: { measured: 'measured', theory: 'exact' },
        height: 210,
      }),
    table: rowsTable([...findings.lengthRows, ...findings.shiftRows], labelsOf([findings.main[0]!.model])),
  };
}

type Look = Pick<ChartSeries, 'color' | 'mark'>;

/** Loss of the rare queries along training, with exact descent where nu is fixed and the features are orthonormal. */
function variantSeries(run: Probed, look: Look, hasTheory: boolean): ChartSeries {
  const { settings, label } = run.model.plan;
  const nu = valueWeightOf(run.model.run.frozen);
  return {
    label,
    ...look,
    measured: variantLosses(run).map(({ step, mean, standardError }) => ({ x: step, y: mean, standardError })),
    ...(hasTheory
      ? {
          theory: exactStates(settings, 'rare', stepGrid(run.model.run.steps), nu).map(({ step, moments }) => ({
            x: step,
            y: moments.loss,
          })),
        }
      : {}),
  };
}

/** Half the exact risk of the parameters at each kept step, given a rare query. */
function variantLosses(run: Probed) {
  const { model, probes } = run;
  const { frozen } = model.run;
  const task = taskOf(model.plan.settings);
  const rare = task.probabilities.map((_, k) => k).slice(1);
  return probes
    .map(({ step }, i) => {
      const parameters = model.run.kept[i]!.parameters;
      const exact = exactRisk({ ...frozen, parameters });
      const losses = rare.map((k) => {
        const queryProbabilities = task.probabilities.map((_, n) => (n === k ? 1 : 0));
        return exact({ ...task, queryProbabilities }, lengthOf(model.plan.settings)) / 2;
      });
      const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
      const variance = losses.reduce((sum, loss) => sum + (loss - mean) ** 2, 0) / (losses.length - 1);
      return { step, mean, standardError: Math.sqrt(variance / losses.length) };
    })
    .filter(({ step }) => step > 0);
}

function variantsFigure({ variants, linear, variantRows }: Findings): FigurePlan {
  const named = (name: string) => variants.find(({ model }) => model.plan.name === name)!;
  const fixed = ['plain', 'nu-half', 'nu-two'].map((name, i) => variantSeries(named(name), seriesAt(i), true));
  const trained = variantSeries(named('nu-trained'), seriesAt(3), false);
  const others = [
    variantSeries(named('plain'), seriesAt(0), true),
    variantSeries(named('correlated'), { color: seriesAt(1).color, mark: 'times' }, false),
    variantSeries(named('gaussian'), { color: seriesAt(2).color, mark: 'diamond2' }, false),
  ];
  const losses = { x: { label: 'steps t', type: 'log' }, y: { label: 'loss of rare queries', type: 'log' } } as const;
  const panels: ChartPanel[] = [
    { title: 'Value weight ν', ...losses, series: [...fixed, trained] },
    { title: 'Features that overlap', ...losses, series: others },
  ];
  const models = [...variants.map(({ model }) => model), ...(linear === null ? [] : [linear])];
  if (linear !== null) {
    const task = taskOf(linear.plan.settings);
    const exact = exactRisk(named('plain').model.run.frozen);
    const of = (run: string) => variantRows.filter((row) => row.run === run && row.estimator === 'model');
    const lengths = of('plain').map(({ contextLength }) => contextLength);
    const grid = [...new Set(geometricGrid(Math.min(...lengths), Math.max(...lengths), 30).map(Math.round))];
    panels.push({
      title: 'Softmax and linear attention',
      x: { label: 'pairs M in the test prompt', type: 'log' },
      y: { label: 'risk', type: 'log' },
      series: [
        {
          label: named('plain').model.plan.label,
          ...seriesAt(0),
          measured: points(of('plain'), ({ contextLength }) => contextLength),
          theory: grid.map((M) => ({ x: M, y: exact(task, M) })),
        },
        {
          label: 'linear attention',
          color: seriesAt(3).color,
          mark: 'square',
          measured: points(of('linear'), ({ contextLength }) => contextLength),
          reference: grid.map((M) => ({ x: M, y: linearRisk(task.probabilities, M) })),
        },
      ],
    });
  }
  const learnedNu = valueWeightOf(named('nu-trained').model.run.frozen);
  return {
    name: 'variants',
    caption:
      'At K = 10, N = 100, p₁ = .5. A fixed ν < 1 leaves ½(1−ν)², here .125; at ν = 2 half of the attention must be spread, which leaves .05 or more; a trained one goes from ' +
      `0.5 to ${learnedNu.toFixed(2)} and learns the rare features as the paper’s layer does. A residual connection adds the query’s label slot, which is 0: ` +
      'nothing changes. Features that overlap, correlated or in Gaussian directions, go through the same stages and end higher at the same step. Linear attention on the same prompts ' +
      '(dashed: the best layer at every length) falls as 1/M: it averages frequencies where softmax picks pairs.',
    draw: (context) =>
      drawLineChart(context, {
        description:
          'Loss of rare queries along training for the variants, and risk of softmax and linear attention by length.',
        panels,
        words: { measured: 'trained', theory: 'exact', reference: 'best linear layer' },
        columns: 3,
        height: 230,
      }),
    table: rowsTable(variantRows, labelsOf(models)),
  };
}

export function measuredFigures(findings: Findings): FigurePlan[] {
  return [
    ...(findings.lengthRows.length > 0 ? [shiftsFigure(findings)] : []),
    ...(findings.variants.length > 0 ? [variantsFigure(findings)] : []),
  ];
}
