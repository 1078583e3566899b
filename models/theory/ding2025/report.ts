/** All named numbers of the paper at one setting, as plain data: what `icl theory ding2025` prints. */
import { UsageError } from '../../errors.ts';
import { bestLinearAttention } from './best-layer.ts';
import { blockEigenvalues, factorLayer, signatureResidual } from './factoring.ts';
import { triangleSize } from './features.ts';
import { knownKernelCeiling, zeroQueryProbability } from './known-kernel.ts';
import { correlatedStarts, discriminant, lengthTwoRisk, shortestRealisable, squaredDistance } from './length-two.ts';
import { checkLaw, populationRisk } from './moments.ts';
import { minimise } from './quadratic.ts';

export interface TheorySettings {
  /** Covariates: all states of a chain but its last. */
  readonly d: number;
  /** P(first state = 1). */
  readonly p: number;
  /** Chains in the context; may be Infinity. */
  readonly n: number;
  /** First states of the context follow the query's (Example C.5); for d = 1 only. Default false. */
  readonly areStartsCorrelated?: boolean;
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

/** @throws {UsageError} naming d, p or n, or for correlated starts of longer chains. */
export function theoryReport({ d, p, n, areStartsCorrelated = false }: TheorySettings): TheoryReport {
  if (areStartsCorrelated && d !== 1) {
    throw new UsageError({ where: 'd', expected: '1 for starts that follow the query’s', got: String(d) });
  }
  checkLaw({ d, p }, n);
  const riskWith = (length: number) =>
    areStartsCorrelated
      ? lengthTwoRisk(correlatedStarts(p, length, squaredDistance(p)), length)
      : populationRisk({ d, p }, length);
  const risk = riskWith(n);
  const least = minimise(risk);
  const best = bestLinearAttention(risk, d < LARGE_DIMENSION ? {} : shortSearch);
  const ceiling = knownKernelCeiling({ d, p });
  const m = triangleSize(d);
  return {
    riskMinimum: least.risk,
    bestLinearAttentionRisk: best.risk,
    realisabilityGap: best.risk - least.risk,
    worstLocalSearchRisk: best.ends.at(-1)!,
    riskMinimumLimit: minimise(riskWith(Number.POSITIVE_INFINITY)).risk,
    zeroRisk: risk.constant,
    knownKernelRisk: ceiling.risk,
    knownKernelAccuracy: ceiling.accuracy,
    zeroQueryProbability: zeroQueryProbability({ d, p }),
    signatureResidual: signatureResidual(least.X, d),
    factorResidual: factorLayer(least.X, d).residual,
    ...(d === 1 ? { discriminant: discriminant(least.X) } : {}),
    ...(d === 1 && !areStartsCorrelated ? { shortestRealisable: shortestRealisable(p) } : {}),
    X: Array.from({ length: d }, (_, j) => [...least.X.subarray(j * m, (j + 1) * m)]),
    blockEigenvalues: blockEigenvalues(least.X, d),
    b: [...best.b],
    A: best.A.map((row) => [...row]),
  };
}
