/**
 * Experiments on one fixed covariance (Theorems 4.1 and 4.2): which models are trained and what is measured on them.
 *
 * Models that descend plainly from the paper's start can be laid over gradient flow. On isotropic covariates they also reach
 * the optimum quickly, and serve all figures. Elsewhere plain descent is slow along directions of small variance: there
 * models that were trained with the study's own choices (Adam) serve the other figures.
 */
import type { VerifyOptions } from '../../infer/verify.ts';
import { shiftNamed } from '../../models/shifts/index.ts';
import type { LinearRegressionSpec } from '../../models/tasks/linear-regression.ts';
import type { FigureChoice } from '../figure-choice.ts';
import type { ModelPlan, RunRow, Workshop } from '../reproduce.ts';
import { numberOf } from '../settings.ts';
import type { ReproduceOptions, Settings } from '../study.ts';
import { claimsOf } from './claims.ts';
import { figurePlans } from './figures.ts';
import { type Findings, trainingLength } from './findings.ts';
import { taskOf } from './law.ts';
import type { Part, PartResult } from './part.ts';

/** How much work a reproduction is. */
export interface Size {
  /** Training lengths, as multiples of N. */
  readonly lengthFactors: readonly number[];
  readonly seeds: number;
  readonly steps: number;
  /** Test lengths. */
  readonly lengths: readonly number[];
  /** Prompts per point; a number fixed beforehand, since stopping when a standard error looks small enough would bias risks. */
  readonly prompts: number;
  /** Sizes at which all models but the main one are verified. */
  readonly verification: Partial<VerifyOptions>;
}

const quick: Size = {
  lengthFactors: [0.5, 1, 2],
  seeds: 1,
  steps: 1000,
  lengths: [2, 5, 10, 20, 40, 100, 200],
  prompts: 30_000,
  verification: { batches: [1, 7, 129] },
};

const full: Size = {
  lengthFactors: [0.5, 1, 2, 4],
  seeds: 3,
  steps: 4000,
  lengths: [2, 5, 10, 20, 40, 70, 100, 200, 400],
  prompts: 300_000,
  verification: {},
};

const BATCH = 256;
const QUERIES = 4;
/** Enough for least squares: its risk is known where it matters. */
const ESTIMATOR_PROMPTS = 4000;

/** 0.5^|i - j|: neighbours are correlated, all variances are 1. */
function correlatedCovariance(dimension: number): string {
  const rows = Array.from({ length: dimension }, (_, i) =>
    Array.from({ length: dimension }, (_, j) => 0.5 ** Math.abs(i - j)),
  );
  return JSON.stringify(rows);
}

/** An upper bound on the variance of covariates in any direction; for random ones, what stands for it in the third moment. */
function largestVariance({ covariance }: LinearRegressionSpec): number {
  switch (covariance.kind) {
    case 'identity':
      return 1;
    case 'diagonal':
      return Math.max(...covariance.spectrum);
    case 'matrix':
      return Math.max(...covariance.matrix.map((row) => row.reduce((sum, value) => sum + Math.abs(value), 0)));
    case 'exponential':
      return Math.sqrt(6) * covariance.scale;
  }
}

/** The paper's start and plain descent, at a rate well below the curvature of the optimum, sqrt(d) lambda^2. */
function descentPlan(name: string, label: string, settings: Settings, seed: number, steps: number): ModelPlan {
  const task = taskOf(settings);
  const learningRate = Number((0.0224 / (Math.sqrt(task.dimension) * largestVariance(task) ** 2)).toPrecision(2));
  return {
    name,
    label,
    settings,
    seed,
    overrides: {
      initialisation: { scheme: 'paper', options: { sigma: 0.1 } },
      optimizer: { name: 'sgd', learningRate, momentum: 0 },
      schedule: { name: 'cosine', warmup: 0, final: 0 },
      steps,
      batch: BATCH,
      // Every step: the figure makes its own windows.
      logEvery: 1,
    },
  };
}

/** The study's own choices, with half as many steps again: directions of small variance take their time. */
function practicePlan(name: string, label: string, settings: Settings, seed: number, steps: number): ModelPlan {
  return { name, label, settings, seed, overrides: { steps: Math.ceil(1.5 * steps), batch: BATCH } };
}

/** The models of a reproduction, those that every figure but one needs first. */
function plansOf({ settings, seed, isQuick }: ReproduceOptions, size: Size) {
  const isIsotropic = settings['covariance'] === 'identity';
  const N = numberOf(settings, 'N');
  const steps = Math.ceil(size.steps * Math.max(1, numberOf(settings, 'd') / 5));
  const lengths = size.lengthFactors.map((factor) => Math.max(1, Math.round(factor * N)));
  const seeds = Array.from({ length: size.seeds }, (_, i) => seed + i);
  const plan = isIsotropic ? descentPlan : practicePlan;
  const suffix = (seedOfRun: number) => (isQuick ? '' : `-seed${seedOfRun}`);
  const models = seeds.flatMap((seedOfRun) =>
    [...new Set(lengths)].map((length) => {
      const own = { ...settings, N: length };
      const label = `N = ${length}${isQuick ? '' : `, seed ${seedOfRun}`}`;
      return plan(`N${length}${suffix(seedOfRun)}`, label, own, seedOfRun, steps);
    }),
  );
  const descent = isIsotropic ? null : descentPlan('descent', `N = ${N}, plain descent`, settings, seed, steps);
  const correlatedSettings = { ...settings, covariance: correlatedCovariance(numberOf(settings, 'd')) };
  const correlated = isIsotropic
    ? practicePlan('correlated', `N = ${N}, correlated`, correlatedSettings, seed, steps)
    : null;
  return { models, descent, correlated };
}

const shiftNames = [
  'task-scale',
  'query-scale',
  'query-subspace',
  'covariate-spectrum',
  'covariate-rotation',
  'label-noise',
];

/** The shifts that a task can have, with their levels: a random covariance cannot be rotated. */
function shiftsFor(task: LinearRegressionSpec) {
  const integers = Array.from({ length: task.dimension }, (_, i) => i + 1);
  const isRandom = task.covariance.kind === 'exponential';
  return shiftNames
    .filter((name) => !isRandom || name === 'task-scale' || name === 'label-noise')
    .map((name) => {
      const shift = shiftNamed(name);
      return { shift, levels: name === 'query-subspace' ? integers : shift.levels };
    });
}

const words = ['Two', 'Three', 'Four', 'Five', 'Six', 'Seven', 'Eight', 'Nine', 'Ten', 'Eleven', 'Twelve'];
const inWords = (count: number) => words[count - 2] ?? String(count);

/** What was done, for the report's first paragraph. */
function sentenceOf({ models, correlated, descents, lengthRows, scaleRows, shiftRows }: Findings): string {
  const count = new Set([...models, correlated, ...descents]).size;
  const points = [...lengthRows, ...scaleRows, ...shiftRows].filter(({ estimator }) => estimator === 'model');
  const prompts = points.reduce((sum, row) => sum + row.prompts, 0);
  const measured =
    points.length === 0
      ? ''
      : ` and measured at ${points.length} points on ${prompts.toLocaleString('en').replaceAll(',', '\u202f')} fresh prompts`;
  const layers =
    count === 1 ? 'One linear self-attention layer was' : `${inWords(count)} linear self-attention layers were`;
  return `${layers} trained on linear-regression prompts, frozen as ONNX files, verified${measured}.`;
}

const figureNames = ['loss', 'weights', 'length', 'covariate-scale', 'shifts'] as const;

/** @param size How much work; by default what the options say. */
export function layerPart(
  options: ReproduceOptions,
  { wants }: FigureChoice,
  size: Size = options.isQuick ? quick : full,
): Part | null {
  if (!wants(...figureNames)) return null;
  const { settings } = options;
  const { models, descent, correlated } = plansOf(options, size);
  const N = numberOf(settings, 'N');
  const M = numberOf(settings, 'M');

  const wantsAllLengths = wants('loss', 'length') && (descent === null || wants('length'));
  const trainPlans = models.filter((plan) => wantsAllLengths || numberOf(plan.settings, 'N') === N);
  const wantsCorrelated = correlated !== null && wants('weights', 'shifts');
  const wantsDescent = descent !== null && wants('loss');
  const measures =
    (wants('length') ? trainPlans.length + 1 : 0) + (wants('covariate-scale') ? 2 : 0) + (wants('shifts') ? 1 : 0);
  const stages = trainPlans.length + Number(wantsCorrelated) + Number(wantsDescent) + measures;

  const run = async (workshop: Workshop): Promise<PartResult> => {
    const { verification } = size;
    const isMain = (plan: ModelPlan) => numberOf(plan.settings, 'N') === N;
    const plans = [
      ...trainPlans.map((plan) => (isMain(plan) ? plan : { ...plan, verification })),
      ...(wantsCorrelated ? [{ ...correlated, verification }] : []),
      ...(wantsDescent ? [{ ...descent, verification }] : []),
    ];
    const all = await workshop.train(plans);
    const trained = all.slice(0, trainPlans.length);
    const main = trained.find(({ plan }) => isMain(plan))!;
    const other = all.find(({ plan }) => plan.name === correlated?.name) ?? main;
    const plain = all.filter(({ plan }) => plan.name === descent?.name);

    const precision = { prompts: size.prompts, queriesPerPrompt: QUERIES };
    const lengthRows: RunRow[] = [];
    for (const model of wants('length') ? trained : []) {
      const lengths = [...new Set([...size.lengths, trainingLength(model)])].sort((a, b) => a - b);
      lengthRows.push(...(await workshop.measure(model, { ...precision, lengths })));
    }
    // Least squares knows no training: one model's session is enough to ask for it.
    const baseline = { prompts: ESTIMATOR_PROMPTS, estimators: ['least-squares'], isForEstimators: true } as const;
    if (wants('length')) lengthRows.push(...(await workshop.measure(main, { ...baseline, lengths: size.lengths })));
    const scale = shiftNamed('covariate-scale');
    const scales = { lengths: [M], shifts: [{ shift: scale, levels: scale.levels }] };
    const scaleRows = wants('covariate-scale')
      ? [
          ...(await workshop.measure(main, { ...precision, ...scales })),
          ...(await workshop.measure(main, { ...baseline, ...scales })),
        ]
      : [];
    const shiftRows = wants('shifts')
      ? await workshop.measure(other, { ...precision, lengths: [M], shifts: shiftsFor(taskOf(other.plan.settings)) })
      : [];

    const findings: Findings = {
      settings,
      descents: descent === null ? trained : plain,
      models: trained,
      main,
      correlated: other,
      lengthRows,
      scaleRows,
      shiftRows,
    };
    const claims = claimsOf(findings);
    const figures = figurePlans(findings).filter(({ name }) => wants(name));
    return { models: all, claims, figures, sentence: sentenceOf(findings) };
  };
  return { stages, run };
}
