/** What a reproduction claims: each statement with the number theory gives and the one that was found. */
import type { MeasureName } from '../../infer/measures.ts';
import { boundClaim, type Comparison, comparisonsOf, statisticalClaim } from '../claims.ts';
import { parityClaims } from '../parity-claims.ts';
import type { RunRow, TrainedModel } from '../reproduce.ts';
import type { Claim } from '../study.ts';
import { classesOf, type Findings, rowsOf, sorted, trainingLength, trainingTask } from './findings.ts';
import { learnedProduct, limitRisks, scaleOf, settingOf } from './law.ts';

/** How far the matrix of a finite training may stay from its limit, in Frobenius norm. */
const MATRIX_LIMIT = 0.15;
/** How much more error the noise of a finite training may cost, as a share of the limit's own, and beside it. */
const EXCESS_LIMIT = 0.15;
const EXCESS_FLOOR = 0.004;
/** Predicted and measured contraction per step may differ by this share of what is missing to 1. */
const RATE_LIMIT = 0.02;
const ACCURACY_LIMIT = 0.02;

const worstBy = <T>(items: readonly T[], value: (item: T) => number): T =>
  items.reduce((worst, item) => (value(item) > value(worst) ? item : worst));

const everyModel = ({ models, byClasses }: Findings): TrainedModel[] => [...new Set([...models, ...byClasses])];

/** Frobenius distance of W Lambda to w_N I, as a share of the latter. */
export function relativeDistance(model: TrainedModel): number {
  const { product } = learnedProduct(model.run.frozen);
  const w = scaleOf(settingOf(trainingTask(model)), trainingLength(model)).mean;
  const squares = product.flatMap((row, i) => row.map((value, j) => (value - (i === j ? w : 0)) ** 2));
  return Math.sqrt(squares.reduce((sum, value) => sum + value, 0) / product.length) / w;
}

/**
 * The mean of the diagonal of W Lambda is w_N; its own entries say how well it is known. That standard error knows the noise of
 * training but not what descent has left to go, nor the inflation of W by a large learning rate.
 */
function scaleClaims(findings: Findings): Claim[] {
  const models = everyModel(findings);
  if (models.length === 0) return [];
  const comparisons = models.map((model): Comparison => {
    const theory = scaleOf(settingOf(trainingTask(model)), trainingLength(model));
    const { w, standardError } = learnedProduct(model.run.frozen);
    return {
      label: model.plan.label,
      theory: theory.mean,
      measured: w,
      standardError: Math.hypot(standardError, theory.standardError),
    };
  });
  const worst = worstBy(models, relativeDistance);
  return [
    statisticalClaim('tr(W Λ) / d is w_N, by the scatter of the diagonal', comparisons),
    boundClaim(`‖W Λ − w_N I‖ / ‖w_N I‖; worst of ${models.length}: ${worst.plan.label}`, {
      theory: 0,
      measured: relativeDistance(worst),
      limit: MATRIX_LIMIT,
      shown: `${100 * MATRIX_LIMIT} %, the noise of training`,
    }),
  ];
}

const measureNames: Readonly<Partial<Record<MeasureName, string>>> = {
  'total-variation': 'total variation',
  'cross-entropy': 'cross-entropy',
  'error-rate': 'error rate',
};

/** Measured on ONNX Runtime, beside the exact law of the scores of the trained matrix itself. */
function ownClaims({ lengthRows, classRows, shiftRows }: Findings): Claim[] {
  const groups: readonly (readonly [string, readonly RunRow[]])[] = [
    ['over test lengths', lengthRows],
    ['over numbers of classes', classRows],
    ['under shifts', shiftRows],
  ];
  return groups.flatMap(([words, rows]) =>
    (Object.entries(measureNames) as [MeasureName, string][]).flatMap(([measure, name]) => {
      const comparisons = rows
        .filter((row) => row.measure === measure)
        .flatMap((row) => comparisonsOf([row]).map((one) => ({ ...one, label: `${row.run}, ${one.label}` })));
      return comparisons.length === 0 ? [] : [statisticalClaim(`${name} ${words}, by the trained W`, comparisons)];
    }),
  );
}

/** Total variation beside that of the limit of training, w_N Lambda^{-1}: what finite training costs. */
function limitClaims({ models, lengthRows }: Findings): Claim[] {
  const points = models.flatMap((model) => {
    const task = trainingTask(model);
    return rowsOf(lengthRows, model, 'total-variation').map(({ contextLength, risk }) => {
      const limit = limitRisks(task, trainingLength(model), task, contextLength).totalVariation.mean;
      return { label: `${model.plan.label}, M = ${contextLength}`, limit, risk };
    });
  });
  if (points.length === 0) return [];
  // A share of the limit's, since noise of W adds to what a short prompt scatters; where the limit is small, beside it.
  const excess = (point: (typeof points)[number]) => (point.risk - point.limit - EXCESS_FLOOR) / point.limit;
  const worst = worstBy(points, excess);
  return [
    boundClaim(`total variation beside that of w_N Λ⁻¹; worst of ${points.length}: ${worst.label}`, {
      theory: worst.limit,
      measured: worst.risk,
      limit: (1 + EXCESS_LIMIT) * worst.limit + EXCESS_FLOOR,
      shown: `${100 * EXCESS_LIMIT} % and ${EXCESS_FLOOR}`,
    }),
  ];
}

/** W is a multiple of Lambda^{-1} whatever N: which class is likeliest does not depend on N. */
function decisionClaims({ models, lengthRows }: Findings): Claim[] {
  const lengths = sorted(lengthRows.map(({ contextLength }) => contextLength));
  const spreads = lengths.map((M) => {
    const accuracies = models.flatMap((model) =>
      rowsOf(lengthRows, model, 'error-rate')
        .filter(({ contextLength }) => contextLength === M)
        .map(({ risk }) => 1 - risk),
    );
    return { M, spread: Math.max(...accuracies) - Math.min(...accuracies) };
  });
  if (spreads.length === 0 || models.length < 2) return [];
  const worst = worstBy(spreads, ({ spread }) => spread);
  return [
    boundClaim(
      `accuracies of training lengths differ, on the same prompts; worst of ${spreads.length}: M = ${worst.M}`,
      {
        theory: 0,
        measured: worst.spread,
        limit: ACCURACY_LIMIT,
        shown: `${ACCURACY_LIMIT}, the noise of training`,
      },
    ),
  ];
}

/** Contraction per step, late in the run but far above float32 rounding, beside 1 - eta times the least eigenvalue. */
export function contractions({ distances, theory, rate }: Findings['descents'][number]) {
  const good = distances.filter(({ distance }) => distance > 1e-5 * distances[0]!.distance);
  const last = good.at(-1)!;
  const before = good.find(({ step }) => step >= 0.6 * last.step)!;
  const measured = (last.distance / before.distance) ** (1 / (last.step - before.step));
  return { measured, predicted: 1 - rate * theory.least, last };
}

function rateClaims({ descents }: Findings): Claim[] {
  return descents.map((descent) => {
    const { measured, predicted } = contractions(descent);
    const difference = Math.abs(measured - predicted) / (1 - predicted);
    const claim = boundClaim(`contraction per step of ${descent.model.plan.label}, late`, {
      theory: predicted,
      measured: difference,
      limit: RATE_LIMIT,
      shown: `${100 * RATE_LIMIT} % of its distance to 1`,
    });
    return { ...claim, measured };
  });
}

/** The model is about as good as discriminant analysis that knows the covariance, and better than neighbours. */
function baselineClaims({ baselineRows, byClasses }: Findings): Claim[] {
  return byClasses.flatMap((model) => {
    const rows = baselineRows.filter(({ run, measure }) => run === model.plan.name && measure === 'error-rate');
    if (rows.length === 0) return [];
    const at = (estimator: string, M: number) =>
      rows.find((row) => row.estimator === estimator && row.contextLength === M)!;
    const lengths = sorted(rows.map(({ contextLength }) => contextLength));
    const gaps = lengths.map((M) => at('model', M).risk - at('nearest-neighbours', M).risk);
    return [
      boundClaim(`error of the model less that of nearest neighbours, c = ${classesOf(model)}, at every test length`, {
        measured: Math.max(...gaps),
        limit: 0,
        shown: '0: the model is better',
      }),
    ];
  });
}

export function claimsOf(findings: Findings): Claim[] {
  return [
    ...scaleClaims(findings),
    ...ownClaims(findings),
    ...limitClaims(findings),
    ...decisionClaims(findings),
    ...rateClaims(findings),
    ...baselineClaims(findings),
    ...parityClaims([...everyModel(findings), ...findings.descents.map(({ model }) => model)]),
  ];
}
