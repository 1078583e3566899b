/**
 * Training on a covariance that is new for each prompt (section 4.3 and Theorem 4.5): two layers, one trained on the
 * identity, one on random diagonal covariances, each tested on both and on larger random ones.
 *
 * Squared errors under random variances have heavy tails (products of several exponentials), so that many prompts are needed
 * before a standard error can be believed; all moments exist, and it then can.
 */
import type { VerifyOptions } from '../../infer/verify.ts';
import { shiftNamed } from '../../models/shifts/index.ts';
import { boundClaim, comparisonsOf, statisticalClaim, zScore } from '../claims.ts';
import type { FigureChoice } from '../figure-choice.ts';
import { geometricGrid } from '../figures/grids.ts';
import { type ChartPanel, type ChartSeries, drawLineChart } from '../figures/line-chart.ts';
import { color, seriesAt } from '../figures/theme.ts';
import { showZ } from '../numbers.ts';
import type { FigurePlan, ModelPlan, RunRow, TrainedModel, Workshop } from '../reproduce.ts';
import { numberOf } from '../settings.ts';
import type { Claim, ReproduceOptions, Settings } from '../study.ts';
import { learnedProduct } from './claims.ts';
import { trainingLength, trainingTask } from './findings.ts';
import { limitRisk, zeroRisk } from './law.ts';
import type { Part, PartResult } from './part.ts';

export interface RandomSize {
  readonly steps: number;
  /** Test lengths. */
  readonly lengths: readonly number[];
  /** Prompts per point. */
  readonly prompts: number;
  readonly verification: Partial<VerifyOptions>;
}

const quick: RandomSize = {
  steps: 1500,
  lengths: [5, 10, 20, 40, 100],
  prompts: 100_000,
  verification: { batches: [1, 7, 129] },
};

const full: RandomSize = {
  steps: 12_000,
  lengths: [5, 10, 20, 40, 70, 100, 200],
  prompts: 2_000_000,
  verification: {},
};

const QUERIES = 4;
/** How far the learned matrix may be from G: the steps of descent are noisy where covariances are. */
const productLimit = 0.1;

/** The laws that models are tested on, which are the panels of the paper's Figure 1. */
export const testLaws = [
  { title: 'Λ = I', shift: 'covariate-isotropic', level: 1 },
  { title: 'Λ random, c = 1', shift: 'covariate-exponential', level: 1 },
  { title: 'Λ random, c = 4', shift: 'covariate-exponential', level: 4 },
  { title: 'Λ random, c = 9', shift: 'covariate-exponential', level: 9 },
] as const;

/** As a measurement takes them. */
export const testShifts = [
  { shift: shiftNamed('covariate-isotropic'), levels: [1] },
  { shift: shiftNamed('covariate-exponential'), levels: [1, 4, 9] },
];

/** The settings of a model that is trained on the identity, or on random covariances with c = 1. */
export const trainedOn = (settings: Settings, law: 'identity' | 'exponential'): Settings => ({
  ...settings,
  covariance: law,
});

const laws = [
  { covariance: 'identity', name: 'fixed', label: 'trained on Λ = I' },
  { covariance: 'exponential', name: 'random', label: 'trained on random Λ' },
] as const;

/** Rows of one model on one of the laws. */
const rowsOn = (rows: readonly RunRow[], run: string, law: (typeof testLaws)[number]) =>
  rows.filter((row) => row.run === run && row.shift === law.shift && row.level === law.level);

function claimsOf(models: readonly TrainedModel[], rows: readonly RunRow[]): Claim[] {
  const random = models.find(({ plan }) => plan.name === 'random')!;
  const risks = models.map(({ plan }) => {
    const comparisons = comparisonsOf(rows.filter((row) => row.run === plan.name)).map((comparison, i) => {
      const { contextLength } = rows.filter((row) => row.run === plan.name)[i]!;
      return { ...comparison, label: `${comparison.label}, M = ${contextLength}` };
    });
    return statisticalClaim(`risk on Λ = I and random Λ, ${plan.label}`, comparisons);
  });
  return [
    boundClaim('‖u U₁₁ − G‖ / ‖G‖, trained on random Λ', {
      theory: 0,
      measured: learnedProduct(random).relativeDifference,
      limit: productLimit,
      shown: `${100 * productLimit} %`,
    }),
    ...risks,
  ];
}

function figureOf(settings: Settings, models: readonly TrainedModel[], rows: readonly RunRow[]): FigurePlan {
  const d = numberOf(settings, 'd');
  const N = numberOf(settings, 'N');
  const lengths = rows.map(({ contextLength }) => contextLength);
  const [shortest, longest] = [Math.min(...lengths), Math.max(...lengths)];
  const grid = [...new Set(geometricGrid(shortest, longest, 60).map(Math.round))];
  const panels = testLaws.map((law): ChartPanel => {
    const test = shiftNamed(law.shift).apply(trainingTask(models[0]!), law.level);
    const zero = zeroRisk(test) / d;
    const series = models.map((model, i): ChartSeries => {
      const risk = limitRisk(trainingTask(model), trainingLength(model));
      const longRisk = limitRisk(trainingTask(model), Number.POSITIVE_INFINITY)(test, Number.POSITIVE_INFINITY) / d;
      return {
        label: model.plan.label,
        ...seriesAt(i),
        measured: rowsOn(rows, model.plan.name, law).map(({ contextLength, risk: value, standardError }) => ({
          x: contextLength,
          y: value / d,
          standardError: standardError / d,
        })),
        theory: grid.map((M) => ({ x: M, y: risk(test, M) / d })),
        // On the identity a layer that was trained on it makes no error in the limit: no axis shows that.
        reference: longRisk > 1e-9 ? [shortest, longest].map((x) => ({ x, y: longRisk })) : [],
      };
    });
    const predictZero: ChartSeries = {
      label: 'predict 0',
      style: 'dot',
      color: color.muted,
      theory: [shortest, longest].map((x) => ({ x, y: zero })),
    };
    return {
      title: law.title,
      x: { label: 'test context length M (pairs)', type: 'log' },
      y: { label: 'risk / d', type: 'log' },
      series: [...series, predictZero],
    };
  });
  return {
    name: 'random-covariance',
    caption:
      `Layers trained with N = ${N}, d = ${d}. Trained on random covariances (variances drawn anew for each prompt, exponential with ` +
      'mean 1), the layer learns G instead of Γ⁻¹ and shrinks its answer to about a third: worse on Λ = I, better where covariances ' +
      'are random. Longer prompts do not mend it (dashed: their limit, in training and test), and variances that are four times as ' +
      'large make both worse than predicting 0. Lines are exact; errors are heavy-tailed here, so every point is a mean over ' +
      `${rows[0]!.prompts.toLocaleString('en').replaceAll(',', '\u202f')} prompts.`,
    draw: (context) =>
      drawLineChart(context, {
        description:
          'Risk per dimension against test length for a layer trained on the identity and one trained on random covariances, in four ' +
          'panels by the covariance at test time: measured points lie on the exact curves, above predicting zero for large covariances.',
        panels,
        words: { measured: 'measured', theory: 'exact', reference: 'limit of long prompts, N, M → ∞' },
      }),
    table: {
      columns: ['model', 'test', 'level', 'M', 'risk / d', 'std. error', 'exact', 'z'],
      rows: rows.map(({ run, shift, level, contextLength, risk, standardError, theory }) => [
        models.find(({ plan }) => plan.name === run)!.plan.label,
        shift,
        level,
        contextLength,
        risk / d,
        standardError / d,
        theory === null ? null : theory / d,
        theory === null ? '–' : showZ(zScore({ theory, measured: risk, standardError })),
      ]),
    },
  };
}

/** @param size How much work; by default what the options say. */
export function randomPart(
  { settings, seed, isQuick }: ReproduceOptions,
  { wants }: FigureChoice,
  size: RandomSize = isQuick ? quick : full,
): Part | null {
  if (!wants('random-covariance')) return null;
  const plans = laws.map(
    ({ covariance, name, label }): ModelPlan => ({
      ...{ name, label, seed },
      settings: trainedOn(settings, covariance),
      overrides: { steps: size.steps },
      verification: size.verification,
    }),
  );
  const run = async (workshop: Workshop): Promise<PartResult> => {
    const models = await workshop.train(plans);
    const rows: RunRow[] = [];
    for (const model of models) {
      const { lengths, prompts } = size;
      rows.push(
        ...(await workshop.measure(model, { lengths, prompts, queriesPerPrompt: QUERIES, shifts: testShifts })),
      );
    }
    return {
      models,
      claims: claimsOf(models, rows),
      figures: [figureOf(settings, models, rows)],
      sentence: 'Two more were trained on a fixed and on random covariances, and measured on both.',
    };
  };
  return { stages: 2 * plans.length, run };
}
