/**
 * The experiments of Shen et al. (2025): which models are trained and what is measured on them. One layer is trained for
 * several training lengths and numbers of classes on fresh prompts; two more descend on all of a finite set of prompts at
 * once, at the rate 1 / l that the theorem uses, so that their distance to the optimum can be followed over many decades.
 */

import type { VerifyOptions } from '../../infer/verify.ts';
import { pairedTransformer } from '../../models/attention/paired-transformer.ts';
import { shiftsFor } from '../../models/shifts/index.ts';
import { chooseFigures } from '../figure-choice.ts';
import { type ModelPlan, openWorkshop, type RunRow, type TrainedModel } from '../reproduce.ts';
import { numberOf } from '../settings.ts';
import type { Claim, ReproduceOptions, ReproduceResult, Settings, Study } from '../study.ts';
import { claimsOf } from './claims.ts';
import { descentTheory, distanceTo } from './descent.ts';
import { figurePlans } from './figures.ts';
import { type Descent, type Findings, sorted } from './findings.ts';
import { descentRate, safeRate, taskOf } from './law.ts';

/** How much work a reproduction is. */
export interface Size {
  /** Training lengths, as multiples of N. */
  readonly lengthFactors: readonly number[];
  readonly classes: readonly number[];
  readonly seeds: number;
  readonly steps: number;
  readonly batch: number;
  /** Test lengths. */
  readonly lengths: readonly number[];
  /** Prompts per point, of four queries each. */
  readonly prompts: number;
  readonly baselinePrompts: number;
  readonly descentPrompts: number;
  /** Of the 3-layer transformer, of 64 prompts each. */
  readonly depthSteps: number;
  /** Sizes at which all models but the main one are verified. */
  readonly verification: Partial<VerifyOptions>;
}

const quick: Size = {
  lengthFactors: [0.1, 0.4, 1, 2],
  classes: [2, 5, 10],
  seeds: 1,
  steps: 1200,
  batch: 512,
  lengths: [10, 20, 40, 100, 200, 400, 1000],
  prompts: 1200,
  baselinePrompts: 300,
  descentPrompts: 4096,
  depthSteps: 800,
  verification: { batches: [1, 7] },
};

const full: Size = {
  lengthFactors: [0.1, 0.4, 1, 4],
  classes: [2, 3, 5, 10, 20],
  seeds: 3,
  steps: 6000,
  batch: 1024,
  lengths: [10, 20, 40, 70, 100, 200, 400, 1000, 2000],
  prompts: 20_000,
  baselinePrompts: 4000,
  descentPrompts: 65_536,
  depthSteps: 30_000,
  verification: {},
};

const QUERIES = 4;
/** Shifts at which one layer and three are compared. */
const depthShifts = ['mean-norm', 'covariance-factor'];

/** A layer trained on fresh prompts by the study's own choices; `share` of the usual steps. */
function freshPlan(
  plan: Pick<ModelPlan, 'name' | 'label' | 'settings' | 'seed'>,
  size: Size,
  share: number,
): ModelPlan {
  const steps = Math.ceil(size.steps * share);
  const optimizer = { name: 'sgd', learningRate: descentRate(plan.settings, steps), momentum: 0 } as const;
  return { ...plan, overrides: { optimizer, steps, batch: size.batch } };
}

/** Short prompts are drawn quickly: they take more steps. */
const shareOf = (N: number, length: number) => Math.min(2, Math.max(0.5, N / length));

/** Softmax attention on the same prompts: three layers, pairs as tokens, no positions. */
function depthPlan(settings: Settings, seed: number, size: Size): ModelPlan {
  const { dimension, classes } = taskOf(settings);
  const output = classes === 2 ? { signs: 1 } : { classes };
  return {
    name: 'three-layer',
    label: '3-layer transformer',
    settings,
    seed,
    verification: size.verification,
    overrides: {
      model: { name: pairedTransformer.name, dimension, options: { layers: 3, width: 64, heads: 4, ...output } },
      initialisation: { scheme: 'fan-in', options: {} },
      optimizer: { name: 'adam', learningRate: 1e-3, beta1: 0.9, beta2: 0.99, epsilon: 1e-8 },
      schedule: { name: 'cosine', warmup: 0.05, final: 0 },
      clipNorm: 1,
      steps: size.depthSteps,
      batch: 64,
    },
  };
}

const DESCENT_STEPS = 400;
/** Dense at first: with Lambda = I all is over after some 30 steps. */
const keptSteps = [4, 8, 12, 16, 20, 24, 28, 32, 40, 60, 80, 100, 140, 180, 220, 260, 300, 340, 400];

/** Descent on a fixed set of prompts at rate 1 / l, d = 5, N = 50, r = 1: small, so that the set says much about each entry. */
function descentPlan(name: string, label: string, covariance: string, seed: number, size: Size): ModelPlan {
  const settings = { d: 5, c: 2, r: 1, N: 50, M: 50, covariance };
  return {
    name,
    label,
    settings,
    seed,
    keepSteps: keptSteps,
    verification: size.verification,
    overrides: {
      optimizer: { name: 'sgd', learningRate: safeRate(settings), momentum: 0 },
      schedule: { name: 'constant' },
      steps: DESCENT_STEPS,
      batch: size.descentPrompts,
      trainingPrompts: size.descentPrompts,
    },
  };
}

function followDescent(model: TrainedModel): Descent {
  const { config, kept } = model.run;
  const theory = descentTheory(config);
  const start = { step: 0, distance: distanceTo(theory.optimum, new Float64Array(theory.optimum.length)) };
  const along = kept.map(({ step, parameters }) => ({
    step,
    distance: distanceTo(theory.optimum, parameters['key_query']!),
  }));
  return { model, theory, distances: [start, ...along], rate: config.optimizer.learningRate };
}

function plansOf({ settings, seed }: ReproduceOptions, size: Size) {
  const [N, c] = [numberOf(settings, 'N'), numberOf(settings, 'c')];
  const lengths = sorted(size.lengthFactors.map((factor) => Math.max(1, Math.round(factor * N))));
  const seeds = Array.from({ length: size.seeds }, (_, i) => seed + i);
  const suffix = (own: number) => (size.seeds === 1 ? '' : `-seed${own}`);
  const byLength = lengths.flatMap((length) =>
    seeds.map((own) => {
      const label = `N = ${length}${size.seeds === 1 ? '' : `, seed ${own}`}`;
      const name = `N${length}${suffix(own)}`;
      return freshPlan({ name, label, settings: { ...settings, N: length }, seed: own }, size, shareOf(N, length));
    }),
  );
  const byClasses = sorted(size.classes)
    .filter((classes) => classes !== c)
    .map((classes) => {
      const [name, label] = [`c${classes}`, `c = ${classes}`];
      return freshPlan({ name, label, settings: { ...settings, c: classes }, seed }, size, 0.5);
    });
  const descents = [
    descentPlan('descent-identity', 'descent, Λ = I', 'identity', seed, size),
    descentPlan('descent-diagonal', 'descent, Λ = diag(1, .., 5)', '[1,2,3,4,5]', seed, size),
  ];
  return { byLength, byClasses, descents };
}

/** The report's first paragraph. */
function leadOf(findings: Findings, claims: readonly Claim[]): string {
  const { models, byClasses, descents, lengthRows, classRows, shiftRows } = findings;
  const count = new Set([...models, ...byClasses]).size + descents.length;
  const points = [...lengthRows, ...classRows, ...shiftRows].filter(
    ({ estimator, measure }) => estimator === 'model' && measure === 'total-variation',
  );
  const failed = claims.filter(({ holds }) => !holds).length;
  const found =
    failed === 0 ? `All ${claims.length} claims below hold.` : `${failed} of ${claims.length} claims are flagged.`;
  return (
    `${count} linear self-attention layers of one matrix W were trained to classify Gaussian mixtures in their context, ` +
    `frozen as ONNX files, verified, and measured at ${points.length} points. ${found} The theorems of the paper bound ` +
    'W* = c (Λ⁻¹ + G); for the rotation-invariant law of tasks that they assume, G is a multiple of Λ⁻¹ for every N, and ' +
    'the curves here are that exact form.'
  );
}

/** @param size How much work; by default what the options say. */
export async function reproduce(
  study: Study,
  options: ReproduceOptions,
  size: Size = options.isQuick ? quick : full,
): Promise<ReproduceResult> {
  const { settings } = options;
  const { wants } = chooseFigures(study, options);
  const plans = plansOf(options, size);
  const [N, M] = [numberOf(settings, 'N'), numberOf(settings, 'M')];
  const isMain = ({ settings: own }: ModelPlan) => numberOf(own, 'N') === N;

  const wantsLengths = wants('length', 'floor');
  const lengthPlans = plans.byLength.filter((plan) => wantsLengths || isMain(plan));
  const classPlans = wants('classes', 'baselines')
    ? plans.byClasses.filter(
        ({ settings: own }) => wants('classes') || numberOf(own, 'c') === Math.max(...size.classes),
      )
    : [];
  const needsMain = wants('length', 'floor', 'classes', 'weights', 'shifts', 'baselines', 'depth');
  const depthPlans = wants('depth') ? [depthPlan(settings, options.seed, size)] : [];
  const freshPlans = needsMain ? [...lengthPlans, ...classPlans] : [];
  const descentPlans = wants('rate') ? plans.descents : [];
  const measures =
    (wantsLengths ? lengthPlans.length : 0) +
    (wants('classes') ? classPlans.length + 1 : 0) +
    (wants('shifts') ? 1 : 0);
  const baselines = wants('baselines') ? 1 + Math.min(1, classPlans.length) : 0;
  const depths = 5 * depthPlans.length;
  const stages = freshPlans.length + 2 * descentPlans.length + measures + baselines + depths + 1;
  const workshop = openWorkshop(study, options, stages);

  const { verification } = size;
  const trained = await workshop.train(
    freshPlans.map((plan) =>
      isMain(plan) && numberOf(plan.settings, 'c') === numberOf(settings, 'c') ? plan : { ...plan, verification },
    ),
  );
  const descended = await workshop.train(descentPlans);
  const descents: Descent[] = [];
  for (const model of descended) {
    descents.push(await workshop.work(`following ${model.plan.label}`, () => followDescent(model)));
  }
  const models = trained.slice(0, lengthPlans.length);
  const main = models.find(({ plan }) => isMain(plan));
  const others = trained.slice(lengthPlans.length);
  const byClasses =
    main === undefined
      ? []
      : [main, ...others].sort((a, b) => numberOf(a.plan.settings, 'c') - numberOf(b.plan.settings, 'c'));

  const precision = { prompts: size.prompts, queriesPerPrompt: QUERIES };
  const lengthRows: RunRow[] = [];
  for (const model of wantsLengths ? models : []) {
    lengthRows.push(...(await workshop.measure(model, { ...precision, lengths: size.lengths })));
  }
  const classRows: RunRow[] = [];
  for (const model of wants('classes') ? byClasses : []) {
    classRows.push(...(await workshop.measure(model, { ...precision, lengths: [M] })));
  }
  const shiftRows =
    wants('shifts') && main !== undefined
      ? await workshop.measure(main, {
          ...precision,
          lengths: [M],
          shifts: shiftsFor(taskOf(settings)).map((shift) => ({ shift, levels: shift.levels })),
        })
      : [];
  const baselineRows: RunRow[] = [];
  const compared = byClasses.filter((model) => model === main || model === byClasses.at(-1));
  for (const model of wants('baselines') ? compared : []) {
    const estimators = ['posterior', 'linear-discriminant', 'logistic', 'nearest-neighbours'];
    const lengths = size.lengths.filter((length) => length >= 20 && length <= 200);
    baselineRows.push(
      ...(await workshop.measure(model, {
        lengths,
        prompts: size.baselinePrompts,
        queriesPerPrompt: QUERIES,
        estimators,
      })),
    );
  }

  const [deep] = await workshop.train(depthPlans);
  const depthRows: RunRow[] = [];
  for (const model of deep === undefined || main === undefined ? [] : [main, deep]) {
    const prompts = size.baselinePrompts;
    const lengths = size.lengths.filter((length) => length <= 400);
    depthRows.push(...(await workshop.measure(model, { lengths, prompts, queriesPerPrompt: QUERIES })));
    const shifts = shiftsFor(taskOf(settings))
      .filter(({ name }) => depthShifts.includes(name))
      .map((shift) => ({ shift, levels: shift.levels }));
    depthRows.push(...(await workshop.measure(model, { lengths: [M], prompts, queriesPerPrompt: QUERIES, shifts })));
  }

  const findings: Findings = {
    settings,
    models,
    byClasses,
    main,
    descents,
    lengthRows,
    classRows,
    shiftRows,
    baselineRows,
    depthRows,
  };
  const claims = claimsOf(findings);
  const figures = await workshop.work('computing the curves of theory', () =>
    figurePlans(findings).filter(({ name }) => wants(name)),
  );
  return workshop.finish(leadOf(findings, claims), claims, figures);
}
