/**
 * The paper's Figure 1: a GPT-style transformer that is trained on every position of prompts, on one covariance or on random
 * ones, tested on prompts shorter and longer than in training; beside it the same transformer without positions.
 *
 * `small` is a size that a CPU trains in minutes: two layers, width 48, d = 3, N = 8. `paper` is the paper's recipe, for a GPU:
 * 12 layers, width 256, 8 heads, d = 20, N = 40, 70, 100, Adam 1e-4, 64 prompts per step, 500 000 steps; but without the growing
 * dimensions and lengths of its first steps, which this library's prompts do not have.
 *
 * The loss is a mean over all positions, half as large as the paper's. Source: section 5 and Figure 1; Garg et al. (2022).
 */
import type { VerifyOptions } from '../../infer/verify.ts';
import { transformer } from '../../models/attention/transformer.ts';
import { shiftNamed } from '../../models/shifts/index.ts';
import { boundClaim, type Comparison, statisticalClaim } from '../claims.ts';
import type { FigureChoice } from '../figure-choice.ts';
import { type ChartPanel, type ChartSeries, drawLineChart } from '../figures/line-chart.ts';
import type { MeasuredPoint } from '../figures/marks.ts';
import { color, seriesAt } from '../figures/theme.ts';
import type { FigurePlan, ModelPlan, RunRow, TrainedModel, Workshop } from '../reproduce.ts';
import type { Claim, ReproduceOptions, Settings } from '../study.ts';
import { trainingLength, trainingTask } from './findings.ts';
import { limitRisk, taskOf, zeroRisk } from './law.ts';
import type { Part, PartResult } from './part.ts';
import { testLaws, testShifts, trainedOn } from './random.ts';

export interface GptSize {
  readonly d: number;
  /** Training lengths. */
  readonly lengths: readonly number[];
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly steps: number;
  readonly batch: number;
  readonly learningRate: number;
  /** Prompts per point. */
  readonly prompts: number;
  /** Which training laws also get a transformer without positions. */
  readonly withoutPositions: readonly Law[];
  readonly verification: Partial<VerifyOptions>;
}

type Law = 'identity' | 'exponential';

const quick: GptSize = {
  ...{ d: 3, lengths: [8], layers: 2, width: 48, heads: 2 },
  ...{ steps: 4000, batch: 48, learningRate: 3e-3, prompts: 4096, withoutPositions: ['identity'] },
  verification: { batches: [1, 5], contexts: [1, 8, 13], queries: [1, 3] },
};

const full: GptSize = {
  ...quick,
  ...{ steps: 40_000, prompts: 40_960, withoutPositions: ['identity', 'exponential'] },
  verification: {},
};

const paper: GptSize = {
  ...{ d: 20, lengths: [40, 70, 100], layers: 12, width: 256, heads: 8 },
  ...{ steps: 500_000, batch: 64, learningRate: 1e-4, prompts: 4096, withoutPositions: ['identity', 'exponential'] },
  verification: {},
};

const sizeOf = (name: unknown, isQuick: boolean): GptSize => (name === 'paper' ? paper : isQuick ? quick : full);

/** Lengths of test prompts: up to the longest training length, just beyond it, and twice as far. */
function testLengths({ lengths }: GptSize): number[] {
  const N = Math.max(...lengths);
  const inside = [0, 1, 2, 3, 4, 6, 8].map((k) => Math.round((k * N) / 8));
  const beyond = [1.25, 1.5, 2].map((factor) => Math.round(factor * N));
  const edges = lengths.flatMap((length) => [length, length + 1]);
  return [...new Set([...inside, ...edges, ...beyond])].sort((a, b) => a - b);
}

const laws: readonly { readonly covariance: Law; readonly name: string; readonly label: string }[] = [
  { covariance: 'identity', name: 'gpt-fixed', label: 'trained on Λ = I' },
  { covariance: 'exponential', name: 'gpt-random', label: 'trained on random Λ' },
];

function plansOf(settings: Settings, seed: number, size: GptSize): ModelPlan[] {
  const { d, layers, width, heads, steps, batch, learningRate, verification } = size;
  return size.lengths.flatMap((N) =>
    laws.flatMap(({ covariance, name, label }) => {
      const suffix = size.lengths.length === 1 ? '' : `, N = ${N}`;
      const plan = (positions: 0 | 1): ModelPlan => ({
        name: `${name}-N${N}${positions === 1 ? '' : '-no-positions'}`,
        label: `${label}${positions === 1 ? '' : ', no positions'}${suffix}`,
        settings: { ...trainedOn(settings, covariance), d, N, M: N, noiseVariance: 0 },
        seed,
        overrides: {
          model: {
            name: transformer.name,
            dimension: d,
            options: { layers, width, heads, positions, maxContext: 2 * N },
          },
          initialisation: { scheme: 'fan-in', options: {} },
          loss: { name: 'sequence-squared-error' },
          optimizer: { name: 'adam', learningRate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
          schedule: { name: 'cosine', warmup: 0.05, final: 0.02 },
          ...{ steps, batch, clipNorm: 1, logEvery: 50 },
        },
        hasPrefixes: true,
        verification,
      });
      return size.withoutPositions.includes(covariance) ? [plan(1), plan(0)] : [plan(1)];
    }),
  );
}

const isPositional = ({ plan }: TrainedModel): boolean => !plan.name.endsWith('-no-positions');

const rowsOn = (rows: readonly RunRow[], estimator: string, law: (typeof testLaws)[number], run?: string) =>
  rows.filter(
    (row) =>
      row.estimator === estimator &&
      row.shift === law.shift &&
      row.level === law.level &&
      (run === undefined || row.run === run),
  );

/** What the figure shows, in numbers. Ratios of risks on the same prompts have no simple standard error; limits are wide. */
function claimsOf(models: readonly TrainedModel[], rows: readonly RunRow[], { d }: GptSize): Claim[] {
  const own = (model: TrainedModel) =>
    testLaws[trainingTask(model).covariance.kind === 'exponential' ? 1 : 0] as (typeof testLaws)[number];
  const riskAt = (model: TrainedModel, M: number) =>
    rowsOn(rows, 'model', own(model), model.plan.name).find(({ contextLength }) => contextLength === M)!.risk / d;
  const claims = models.flatMap((model): Claim[] => {
    const N = trainingLength(model);
    const linear = limitRisk(trainingTask(model), N)(trainingTask(model), N) / d;
    const spike = riskAt(model, N + 1) / riskAt(model, N);
    if (!isPositional(model)) {
      const calm = { theory: null, measured: spike, limit: 1.25, shown: '1.25' };
      return [boundClaim(`no spike, ${model.plan.label}: risk at M = N + 1 over that at N`, calm)];
    }
    const better = { theory: linear, measured: riskAt(model, N), limit: linear, shown: 'that of one linear layer' };
    const jump = { theory: null, measured: 1 / spike, limit: 1 / 3, shown: 'a third' };
    return [
      boundClaim(`risk / d at M = N, ${model.plan.label}, beside one linear layer’s`, better),
      boundClaim(`a spike, ${model.plan.label}: risk at M = N over that at N + 1`, jump),
    ];
  });
  const comparisons = rowsOn(rows, 'least-squares', testLaws[0]).flatMap(
    ({ contextLength: M, risk, standardError }): Comparison[] =>
      M < d ? [{ label: `M = ${M}`, theory: d - M, measured: risk, standardError }] : [],
  );
  return [...claims, statisticalClaim('risk of least squares on Λ = I for M < d is d − M', comparisons)];
}

const pointsOf = (rows: readonly RunRow[], d: number): MeasuredPoint[] =>
  rows.map(({ contextLength, risk, standardError }) => ({
    x: contextLength,
    y: risk / d,
    standardError: standardError / d,
  }));

function figureOf(
  models: readonly TrainedModel[],
  rows: readonly RunRow[],
  size: GptSize,
  settings: Settings,
): FigurePlan {
  const { d } = size;
  const N = size.lengths.at(-1)!;
  // With several training lengths only the longest is drawn; the table has them all.
  const shown = models.filter((model) => trainingLength(model) === N);
  const base = taskOf({ ...settings, covariance: 'identity', d, noiseVariance: 0 });
  const lengths = testLengths(size);
  const grid = Array.from({ length: lengths.at(-1)! }, (_, i) => i + 1);
  const panels = testLaws.map((law): ChartPanel => {
    const test = shiftNamed(law.shift).apply(base, law.level);
    const zero = zeroRisk(test) / d;
    const series = shown.map((model, i): ChartSeries => {
      const points = pointsOf(rowsOn(rows, 'model', law, model.plan.name), d);
      const linear = limitRisk(trainingTask(model), N);
      return {
        label: model.plan.label,
        ...seriesAt(i),
        measured: points,
        trace: points,
        // One linear layer per training law: with positions or without, it is the same.
        reference: isPositional(model) ? grid.map((M) => ({ x: M, y: linear(test, M) / d })) : [],
      };
    });
    const tops = series.flatMap(({ measured }) => measured!.map(({ y, standardError }) => y + 2 * standardError));
    const plain: ChartSeries[] = [
      {
        label: 'least squares',
        color: color.muted,
        mark: 'times',
        measured: pointsOf(rowsOn(rows, 'least-squares', law), d),
      },
      {
        label: 'predict 0',
        style: 'dot',
        color: color.muted,
        theory: [0, lengths.at(-1)!].map((x) => ({ x, y: zero })),
      },
    ];
    return {
      title: law.title,
      x: { label: 'in-context examples M', type: 'linear', low: -0.4 },
      // Linear layers may leave the panel; what was measured may not.
      y: { label: 'risk / d', type: 'linear', low: 0, high: Math.max(1.25 * zero, ...tops.map((y) => 1.06 * y)) },
      series: [...series, ...plain],
      guides: [{ axis: 'x', at: N, label: 'N', style: 'dot' }],
    };
  });
  return {
    name: 'figure1',
    caption:
      `A transformer of ${size.layers} layers and width ${size.width} (d = ${d}, N = ${N}), trained at every position, against the ` +
      'number of examples. Up to N it comes near least squares and beats one linear layer of the same training (dashed, exact). ' +
      'One example more, and the error jumps: x and y stand where no position was trained. Without positions there is no jump, and learning is slower. ' +
      'Under larger random variances the transformers degrade mildly, where the linear layers leave the panel.',
    draw: (context) =>
      drawLineChart(context, {
        description:
          'Risk per dimension against the number of in-context examples in four panels by the test covariance: transformers with ' +
          'positions fall until the training length and jump behind it, the one without does not; linear layers as dashed curves.',
        panels,
        height: 230,
        words: { reference: 'one linear layer, same training' },
      }),
    table: {
      columns: ['model', 'test', 'level', 'M', 'estimator', 'risk / d', 'std. error'],
      rows: rows.map(({ run, shift, level, contextLength, estimator, risk, standardError }) => [
        models.find(({ plan }) => plan.name === run)!.plan.label,
        shift,
        level,
        contextLength,
        estimator,
        risk / d,
        standardError / d,
      ]),
    },
  };
}

/** @param size How much work; by default what the settings and options say. */
export function gptPart(
  { settings, seed, isQuick }: ReproduceOptions,
  { wants }: FigureChoice,
  size: GptSize = sizeOf(settings['gpt'], isQuick),
): Part | null {
  if (!wants('figure1')) return null;
  const plans = plansOf(settings, seed, size);
  const run = async (workshop: Workshop): Promise<PartResult> => {
    const models = await workshop.train(plans);
    const rows: RunRow[] = [];
    for (const [i, model] of models.entries()) {
      // Least squares knows no training: it answers beside the first.
      const estimators = i === 0 ? ['least-squares'] : [];
      const measures = { lengths: testLengths(size), prompts: size.prompts, shifts: testShifts, estimators };
      rows.push(...(await workshop.measure(model, measures)));
    }
    return {
      models,
      claims: claimsOf(models, rows, size),
      figures: [figureOf(models, rows, size, settings)],
      sentence: `${models.length} transformers of ${size.layers} layers were trained on every position of such prompts.`,
    };
  };
  return { stages: 2 * plans.length, run };
}
