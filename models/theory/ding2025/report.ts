/** All named numbers of the paper at one setting, as plain data: what `icl theory ding2025` prints. */
import { bestLinearAttention } from './best-layer.ts';
import { blockEigenvalues, factorLayer, signatureResidual } from './factoring.ts';
import { triangleSize } from './features.ts';
import { knownKernelCeiling, zeroQueryProbability } from './known-kernel.ts';
import { correlatedStarts, discriminant, lengthTwoRisk, shortestRealisable, squaredDistance } from './length-two.ts';
import { populationRisk } from './moments.ts';
import { minimise } from './quadratic.ts';

export interface TheorySettings {
  /** Covariates: all states of a chain but its last. */
  readonly d: number;
  /** P(first state = 1). */
  readonly p: number;
  /** Chains in the context; may be Infinity. */
  readonly n: number;
}

export type TheoryReport = Readonly<Record<string, number | number[] | number[][]>> & {
  /** f~(X*): the least risk in the enlarged parameter space, exact. */
  readonly riskMinimum: number;
  /** f*: the least risk of a linear attention layer that the search finds. */
  readonly bestLinearAttentionRisk: number;
  /** Their difference: what no layer can realise. */
  readonly realisabilityGap: number;
  readonly riskMinimumLimit: number;
  readonly zeroRisk: number;
  readonly knownKernelRisk: number;
  readonly knownKernelAccuracy: number;
};

/** From this dimension on a round of the search costs some 5 ms and more: fewer of them. */
const LARGE_DIMENSION = 7;
const shortSearch = { starts: 3, finalists: 1, rounds: 300 };

/** @throws {UsageError} naming d, p or n. */
export function theoryReport({ d, p, n }: TheorySettings): TheoryReport {
  const risk = populationRisk({ d, p }, n);
  const least = minimise(risk);
  const best = bestLinearAttention(risk, d < LARGE_DIMENSION ? {} : shortSearch);
  const ceiling = knownKernelCeiling({ d, p });
  const m = triangleSize(d);
  return {
    riskMinimum: least.risk,
    bestLinearAttentionRisk: best.risk,
    realisabilityGap: best.risk - least.risk,
    worstLocalSearchRisk: best.ends.at(-1)!,
    riskMinimumLimit: minimise(populationRisk({ d, p }, Number.POSITIVE_INFINITY)).risk,
    zeroRisk: risk.constant,
    knownKernelRisk: ceiling.risk,
    knownKernelAccuracy: ceiling.accuracy,
    zeroQueryProbability: zeroQueryProbability({ d, p }),
    signatureResidual: signatureResidual(least.X, d),
    factorResidual: factorLayer(least.X, d).residual,
    ...(d === 1 ? lengthTwoEntries(p, n, least.X) : {}),
    X: Array.from({ length: d }, (_, j) => [...least.X.subarray(j * m, (j + 1) * m)]),
    blockEigenvalues: blockEigenvalues(least.X, d),
    b: [...best.b],
    A: best.A.map((row) => [...row]),
  };
}

/** What the paper has for chains of length 2 only. */
function lengthTwoEntries(p: number, n: number, X: Float64Array): Record<string, number> {
  const correlated = lengthTwoRisk(correlatedStarts(p, n, squaredDistance(p)), n);
  return {
    discriminant: discriminant(X),
    shortestRealisable: shortestRealisable(p),
    riskMinimumCorrelatedStarts: minimise(correlated).risk,
  };
}
