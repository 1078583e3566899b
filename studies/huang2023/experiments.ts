/**
 * The experiments on Huang, Cheng, Liang (2024), whose arXiv version has none: which models are trained, at which steps their parameters
 * are kept, and what is measured on them.
 */
import { linearAttention } from '../../models/attention/linear-attention.ts';
import { softmaxAttention } from '../../models/attention/softmax-attention.ts';
import { createGenerator, streams } from '../../models/random.ts';
import { shiftsFor } from '../../models/shifts/index.ts';
import {
  type FeatureSettings,
  featureProbabilities,
  findEvents,
  finiteLengthRule,
  isBalanced,
  meanFieldRule,
  type QueryKind,
  queryLaw,
  simulateCounts,
} from '../../models/theory/huang2023.ts';
import { chooseFigures } from '../figure-choice.ts';
import { type ModelPlan, openWorkshop, type RunRow, type Workshop } from '../reproduce.ts';
import { numberOf } from '../settings.ts';
import type { Claim, ReproduceOptions, ReproduceResult, Settings, Study } from '../study.ts';
import { claimsOf } from './claims.ts';
import { figurePlans } from './figures.ts';
import { type Findings, lengthOf, type OrderPoint, probeRun, summarise, type TimePoint } from './findings.ts';
import { defaultSteps, featureSettings, taskOf } from './law.ts';
import { eventsAt } from './phases.ts';

/** How much work a reproduction is. */
export interface Size {
  readonly batch: number;
  readonly seeds: number;
  readonly prompts: number;
  /** Numbers of features of the sampled times, and how many seeds each. */
  readonly sampledK: readonly number[];
  readonly sampledSeeds: number;
  /** Numbers of features of the mean field's times. */
  readonly meanFieldK: readonly number[];
}

const quick: Size = {
  batch: 64,
  seeds: 1,
  prompts: 4000,
  sampledK: [5, 10, 20],
  sampledSeeds: 10,
  meanFieldK: [5, 10, 20, 50, 100, 200, 500, 1000],
};

const full: Size = {
  batch: 512,
  seeds: 3,
  prompts: 60_000,
  sampledK: [5, 10, 20, 40],
  sampledSeeds: 10,
  meanFieldK: [5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000],
};

const QUERIES = 4;
/** How much larger the second learning rate is. */
const FASTER = 4;
/** The setting of the variants: small, so that many can be trained. */
const variantSettings = { K: 10, d: 12, N: 100, p1: 0.5, eta: 1, features: 'rotation' } as const;
const VARIANT_STEPS = 1000;

/** Steps at which parameters are kept: dense at first, and where the phases end. */
function keptSteps(settings: Settings, last: number): number[] {
  const eta = numberOf(settings, 'eta');
  const ends = Object.values(eventsAt(settings, last)).map(({ step }) => step);
  const grid = [10, 20, 50, 100, 150, 200, 300, 400, 500, 600, 800, 1000, 1400, 2000, 2800, 4000].map((step) =>
    Math.round((2 * step) / eta),
  );
  return [...new Set([0, ...grid, ...ends, last])].filter((step) => step <= last).sort((a, b) => a - b);
}

function mainPlan(settings: Settings, size: Size, seed: number, name: string, label: string, steps: number): ModelPlan {
  return {
    name,
    label,
    settings,
    seed,
    overrides: { steps, batch: size.batch },
    keepSteps: keptSteps(settings, steps),
    verification: name === 'main' ? {} : { batches: [1, 7] },
  };
}

/** The variants that reviewers asked for, each at the small setting. A residual connection is not among them: it adds 0. */
function variantPlans({ seed }: ReproduceOptions, size: Size): ModelPlan[] {
  const plan = (
    name: string,
    label: string,
    changes: Settings,
    options: Readonly<Record<string, number>>,
  ): ModelPlan => {
    const settings = { ...variantSettings, ...changes };
    const model = { name: softmaxAttention.name, dimension: settings.d, options };
    const base = mainPlan(settings, size, seed, name, label, VARIANT_STEPS);
    return { ...base, overrides: { ...base.overrides, model } };
  };
  return [
    plan('plain', 'as in the paper', {}, {}),
    plan('nu-half', 'ν = 0.5', {}, { valueWeight: 0.5 }),
    plan('nu-two', 'ν = 2', {}, { valueWeight: 2 }),
    plan('nu-trained', 'ν trained, from 0.5', {}, { valueWeight: 0.5, trainedValue: 1 }),
    plan('correlated', 'vᵢᵀvⱼ = 0.3', { features: 'equicorrelated(0.3)' }, {}),
    plan('gaussian', 'Gaussian features', { features: 'gaussian' }, {}),
  ];
}

/** Linear attention on the small setting's prompts: it wants Adam. */
const linearPlan = ({ seed }: ReproduceOptions, size: Size): ModelPlan => ({
  name: 'linear',
  label: 'linear attention',
  settings: variantSettings,
  seed,
  overrides: {
    model: { name: linearAttention.name, dimension: variantSettings.d },
    initialisation: { scheme: 'paper', options: { sigma: 0.1 } },
    optimizer: { name: 'adam', learningRate: 0.02, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    schedule: { name: 'cosine', warmup: 0.05, final: 0 },
    steps: 1500,
    batch: Math.max(128, size.batch),
  },
  verification: { batches: [1, 7] },
});

/** Losses whose times are compared. */
const epsilons = [0.1, 0.03, 0.01, 0.003, 0.001, 3e-4, 1e-4];

/** A learning rate small enough for steps not to matter. */
const smallEta = (probability: number, share: number): number => share / probability;

/** Times to epsilon by the mean field for many K, and by sampled counts (N = 20 K) for few. */
function timePoints({ meanFieldK, sampledK, sampledSeeds }: Size, seed: number): TimePoint[] {
  return (['balanced', 'rare'] as const).flatMap((kind) =>
    meanFieldK.flatMap((K) => {
      const settings = { K, p1: kind === 'balanced' ? 1 / K : 0.5 };
      const law = queryLaw(settings, kind);
      const eta = smallEta(law.groups[0]!.probability, 0.05);
      const { lossBelow } = findEvents({ law, rule: meanFieldRule(law), eta }, { K, losses: epsilons });
      return lossBelow.map(({ loss: epsilon, event }): TimePoint => {
        const isSampled = epsilon === epsilons[0] && sampledK.includes(K);
        const sampled = isSampled ? sampledTime(settings, kind, epsilon, seed, sampledSeeds) : null;
        return { kind, K, epsilon, meanField: eta * event!.step, sampled };
      });
    }),
  );
}

/** Steps times eta until the mean loss over the queries of a kind is below epsilon, over seeds. */
function sampledTime(settings: FeatureSettings, kind: QueryKind, epsilon: number, seed: number, seeds: number) {
  const { K } = settings;
  const N = 20 * K;
  const law = queryLaw(settings, kind);
  const eta = smallEta(law.groups[0]!.probability, 0.05);
  const rule = finiteLengthRule(law, N);
  const expected = findEvents({ law, rule, eta }, { K, losses: [epsilon] }).lossBelow[0]!.event!.step;
  const times = Array.from({ length: seeds }, (_, i) => {
    let found = Number.NaN;
    simulateCounts({
      probabilities: featureProbabilities(settings),
      N,
      eta,
      steps: Math.ceil(1.4 * expected),
      prompts: 16,
      generator: createGenerator(seed + i, streams.theory),
      visit: (step, logits) => {
        if (!Number.isNaN(found) || step < 0.7 * expected) return;
        // The last query is rare, or like all others.
        const k = K - 1;
        const of = (n: number) => logits[n * K + k]!;
        const others = Array.from({ length: K - 1 }, (_unused, n) => of(n));
        const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
        const grouped = kind === 'rare' ? [of(k), of(0), mean(others.slice(1))] : [of(k), mean(others)];
        if (rule(Float64Array.from(grouped)).loss < epsilon) found = eta * step;
      },
    });
    return found;
  });
  return { ...summarise(times), seeds, exact: eta * expected };
}

/** The four events and the overtaking of attention, over K at p_1 = .5 and over p_1 at K = 100. */
function orderPoints(size: Size): OrderPoint[] {
  const at = (K: number, p1: number): OrderPoint => {
    const law = queryLaw({ K, p1 }, 'rare');
    const eta = smallEta(law.groups[0]!.probability, 0.05);
    const { events } = findEvents({ law, rule: meanFieldRule(law), eta }, { K, losses: [], most: 200_000 });
    const times = Object.fromEntries(Object.entries(events).map(([name, { step }]) => [name, (eta * step) / (K * K)]));
    return { K, p1, times };
  };
  const ks = size.meanFieldK.filter((K) => K >= 10);
  const ps = [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9];
  return [...ks.map((K) => at(K, 0.5)), ...ps.filter((p1) => p1 !== 0.5).map((p1) => at(100, p1))];
}

/** Lengths around the training length. */
const testLengths = (N: number): number[] => [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2].map((factor) => Math.ceil(factor * N));

async function measureMain(workshop: Workshop, { main }: Pick<Findings, 'main'>, size: Size) {
  const { model } = main[0]!;
  const { settings } = model.plan;
  const N = lengthOf(settings);
  const precision = { prompts: size.prompts, queriesPerPrompt: QUERIES };
  const lengths = testLengths(N);
  const baseline = { estimators: ['least-squares'], prompts: Math.ceil(size.prompts / 4) };
  const lengthRows = [
    ...(await workshop.measure(model, { ...precision, lengths })),
    ...(await workshop.measure(model, { ...baseline, queriesPerPrompt: QUERIES, lengths, isForEstimators: true })),
  ];
  const shifts = shiftsFor(taskOf(settings)).map((shift) => ({ shift, levels: shift.levels }));
  const shiftRows = await workshop.measure(model, {
    ...precision,
    prompts: Math.ceil(size.prompts / 2),
    lengths: [N],
    shifts,
  });
  return { lengthRows, shiftRows };
}

function leadOf(findings: Findings, claims: readonly Claim[], models: number): string {
  const rows = [...findings.lengthRows, ...findings.shiftRows, ...findings.variantRows];
  const failed = claims.filter(({ holds }) => !holds).length;
  const largest = Math.max(0, ...claims.map(({ z }) => Math.abs(z ?? 0)));
  const found =
    failed === 0
      ? `All ${claims.length} claims below hold; the largest deviation from theory is ${largest.toFixed(1)} standard errors.`
      : `${failed} of the ${claims.length} claims below ${failed === 1 ? 'is' : 'are'} flagged.`;
  const trained =
    models === 0
      ? 'No model was needed for this.'
      : `${models} attention layers were trained on prompts of features, frozen as ONNX files, verified and measured at ${rows.filter(({ estimator }) => estimator === 'model').length} points.`;
  return `${trained} The paper’s arXiv version has no experiments; its dynamics are computed here exactly, and training follows them. ${found}`;
}

/** @param size How much work; by default what the options say. */
export async function reproduce(
  study: Study,
  options: ReproduceOptions,
  size: Size = options.isQuick ? quick : full,
): Promise<ReproduceResult> {
  const { settings, seed } = options;
  const { wants } = chooseFigures(study, options);
  const steps = defaultSteps(settings);
  const wantsMain = wants('loss', 'attention', 'weights', 'influence', 'heat-maps', 'eta', 'shifts');
  const mains = wantsMain
    ? Array.from({ length: size.seeds }, (_, i) =>
        mainPlan(settings, size, seed + i, i === 0 ? 'main' : `seed${seed + i}`, `seed ${seed + i}`, steps),
      )
    : [];
  const quickSettings = { ...settings, eta: FASTER * numberOf(settings, 'eta') };
  const fasterLabel = `η = ${quickSettings.eta}`;
  const faster = wants('eta')
    ? [mainPlan(quickSettings, size, seed + 100, 'faster', fasterLabel, Math.ceil(steps / FASTER))]
    : [];
  const balancedSettings = { ...variantSettings, d: variantSettings.K, p1: 'balanced' };
  const hasBalanced = wants('loss') && !isBalanced(featureSettings(settings));
  const balanced = hasBalanced
    ? [mainPlan(balancedSettings, size, seed, 'balanced', 'balanced, K = 10, N = 100', VARIANT_STEPS)]
    : [];
  const variants = wants('variants') ? [...variantPlans(options, size), linearPlan(options, size)] : [];
  const plans = [...mains, ...faster, ...balanced, ...variants];
  const stages =
    plans.length + (wants('shifts') ? 3 : 0) + variants.length + Number(wants('time')) + Number(wants('order'));
  const workshop = openWorkshop(study, options, stages);

  const trained = await workshop.train(plans);
  const named = (some: readonly ModelPlan[]) => trained.filter(({ plan }) => some.includes(plan));
  const main = named(mains).map(probeRun);
  const linear = trained.find(({ plan }) => plan.name === 'linear') ?? null;
  const softmaxVariants = named(variants).filter((model) => model !== linear);
  const shifted = wants('shifts') ? await measureMain(workshop, { main }, size) : { lengthRows: [], shiftRows: [] };
  const variantRows: RunRow[] = [];
  for (const model of named(variants)) {
    const N = variantSettings.N;
    const lengths = model === linear || model.plan.name === 'plain' ? [...testLengths(N).slice(1), 4 * N] : [N];
    const plan = { prompts: size.prompts, queriesPerPrompt: QUERIES, lengths };
    variantRows.push(...(await workshop.measure(model, plan)));
  }
  const findings: Findings = {
    settings,
    main,
    faster: named(faster).map(probeRun)[0] ?? null,
    balanced: named(balanced).map(probeRun)[0] ?? null,
    variants: softmaxVariants.map(probeRun),
    linear,
    ...shifted,
    variantRows,
    times: wants('time') ? await workshop.work('timing', () => timePoints(size, seed)) : [],
    orders: wants('order') ? await workshop.work('ordering events', () => orderPoints(size)) : [],
  };
  const claims = claimsOf(findings, trained);
  const figures = figurePlans(findings).filter(({ name }) => wants(name));
  return workshop.finish(leadOf(findings, claims, trained.length), claims, figures);
}
