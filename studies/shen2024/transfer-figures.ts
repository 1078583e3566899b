/** Figures of a model away from its training: other laws, beside classical classifiers, in depth. */
import { shiftNamed } from '../../models/shifts/index.ts';
import type { GaussianMixtureSpec } from '../../models/tasks/gaussian-mixture.ts';
import { geometricGrid, linearGrid } from '../figures/grids.ts';
import { type ChartPanel, type ChartSeries, drawLineChart } from '../figures/line-chart.ts';
import { color } from '../figures/theme.ts';
import type { FigurePlan, RunRow } from '../reproduce.ts';
import { numberOf } from '../settings.ts';
import { accuracy, lengthOfRow, pointsOf, tableOf } from './figure-rows.ts';
import { classesOf, type Findings, sorted, trainingLength, trainingTask } from './findings.ts';
import { limitRisks } from './law.ts';

const shiftPanels: Readonly<
  Record<string, { readonly title: string; readonly label: string; readonly type: 'linear' | 'log' }>
> = {
  'mean-scale': { title: 'Longer means', label: 'factor on all means', type: 'linear' },
  'mean-norm': { title: 'Means of unequal norm', label: 'factor on the last mean', type: 'linear' },
  'class-prior': { title: 'Unequal classes', label: 'probability of the last class', type: 'linear' },
  'covariance-factor': { title: 'Wider or narrower classes', label: 'factor on the covariance', type: 'log' },
  'scale-mixture': { title: 'Covariates that are not Gaussian', label: 'a: variances 1 − a and 1 + a', type: 'linear' },
};

export function shiftsFigure({ main, shiftRows, settings }: Findings): FigurePlan {
  const model = main!;
  const task = trainingTask(model);
  const [N, M] = [trainingLength(model), numberOf(settings, 'M')];
  const names = [...new Set(shiftRows.map(({ shift }) => shift!))];
  const rows = (name: string) =>
    shiftRows.filter((row) => row.shift === name && row.measure === 'total-variation' && row.estimator === 'model');
  const panels = names.map((name): ChartPanel => {
    const { title, label, type } = shiftPanels[name]!;
    const own = rows(name);
    const levels = own.map(({ level }) => level!);
    const between = type === 'log' ? geometricGrid : linearGrid;
    const grid = sorted([...levels, ...between(Math.min(...levels), Math.max(...levels), 13)]);
    const curve = (length: number) =>
      grid.map((level) => {
        const shifted: GaussianMixtureSpec = shiftNamed(name).apply(task, level);
        return { x: level, y: limitRisks(task, N, shifted, length, 1).totalVariation.mean };
      });
    return {
      title,
      x: { label, type },
      y: { label: 'total variation', type: 'linear', low: 0 },
      series: [
        {
          label: 'model',
          measured: pointsOf(own, ({ level }) => level!),
          theory: curve(M),
          reference: curve(Number.POSITIVE_INFINITY),
          color: color.blue,
        },
      ],
    };
  });
  return {
    name: 'shifts',
    caption:
      `The model N = ${N} at M = ${M}. In the limit of long prompts (dashed) it bears other lengths of the means, but not means of unequal norm or ` +
      'unequal classes, whose constants in the true log-odds it cannot say, nor another covariance, which changes the unit of its logits ' +
      'though not its decisions. Covariates of another shape leave its logits as they are, and change the truth.',
    draw: (context) =>
      drawLineChart(context, {
        description: `Total variation under ${names.map((name) => shiftPanels[name]!.title.toLowerCase()).join(', ')}: measured points on the theory.`,
        panels,
        words: { measured: `measured, M = ${M}`, theory: 'exact, W = w_N Λ⁻¹', reference: 'M → ∞' },
      }),
    table: tableOf(shiftRows),
  };
}

const baselineNames: readonly (readonly [string, string])[] = [
  ['model', 'trained layer'],
  ['linear-discriminant', 'discriminant, Λ known'],
  ['logistic', 'softmax regression'],
  ['nearest-neighbours', '10 nearest neighbours'],
];

export function baselinesFigure({ byClasses, baselineRows }: Findings): FigurePlan {
  const compared = byClasses.filter((model) => baselineRows.some(({ run }) => run === model.plan.name));
  const panels = compared.map((model): ChartPanel => {
    const rows = baselineRows.filter(({ run, measure }) => run === model.plan.name && measure === 'error-rate');
    const of = (estimator: string) => rows.filter((row) => row.estimator === estimator);
    const bayes = of('posterior');
    return {
      title: `c = ${classesOf(model)}`,
      x: { label: 'test length M (pairs)', type: 'log' },
      y: { label: 'accuracy', type: 'linear' },
      series: baselineNames.map(([estimator, label]) => ({
        label,
        measured: pointsOf(of(estimator), lengthOfRow, accuracy),
        trace: of(estimator).map(({ contextLength, risk }) => ({ x: contextLength, y: 1 - risk })),
      })),
      guides: [{ axis: 'y', at: 1 - bayes.reduce((sum, { risk }) => sum + risk, 0) / bayes.length, style: 'dot' }],
    };
  });
  return {
    name: 'baselines',
    caption:
      'All answer the same prompts; the dotted line is Bayes, who knows the means. The layer does what discriminant analysis ' +
      'with the known covariance does, but for the norms of the estimated means, which it does not subtract. Softmax regression with ' +
      'a penalty that suits the law of the means is about as good; nearest neighbours are not.',
    draw: (context) =>
      drawLineChart(context, {
        description: 'Accuracy against test length of the trained layer and of three classical classifiers.',
        panels,
        words: {},
        height: 240,
      }),
    table: tableOf(baselineRows),
  };
}

export function depthFigure({ main, depthRows, settings }: Findings): FigurePlan {
  const [N, M] = [trainingLength(main!), numberOf(settings, 'M')];
  const runs = [...new Set(depthRows.map(({ run }) => run))];
  const names = [...new Set(depthRows.flatMap(({ shift }) => (shift === null ? [] : [shift])))];
  const series = (measure: RunRow['measure'], shift: string | null, y = (risk: number) => risk): ChartSeries[] =>
    runs.map((run, i) => {
      const rows = depthRows.filter((row) => row.run === run && row.measure === measure && row.shift === shift);
      const measured = pointsOf(rows, (row) => (shift === null ? row.contextLength : row.level!), y);
      return { label: i === 0 ? 'one linear layer' : 'three softmax layers', measured, trace: measured };
    });
  const x = { label: 'test length M (pairs)', type: 'log' } as const;
  return {
    name: 'depth',
    caption:
      `A transformer of three softmax layers (width 64, 4 heads, pairs as tokens) trained on the same prompts, N = ${N}, beside the one ` +
      `linear layer that theory describes; shifts at M = ${M}. No formula covers the transformer: what is seen is what was measured after ` +
      'this much training.',
    draw: (context) =>
      drawLineChart(context, {
        description:
          'Total variation and accuracy of one linear layer and of three softmax layers, over test length and shifts.',
        panels: [
          {
            title: 'Total variation to the true law',
            x,
            y: { label: 'total variation', type: 'log' },
            series: series('total-variation', null),
          },
          {
            title: 'Accuracy',
            x,
            y: { label: 'accuracy', type: 'linear' },
            series: series('error-rate', null, accuracy),
          },
          ...names.map((name): ChartPanel => {
            const { title, label, type } = shiftPanels[name]!;
            return {
              title,
              x: { label, type },
              y: { label: 'total variation', type: 'linear', low: 0 },
              series: series('total-variation', name),
            };
          }),
        ],
        words: { measured: 'measured' },
      }),
    table: tableOf(depthRows),
  };
}
