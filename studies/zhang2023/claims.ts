/** What a reproduction claims: each statement with the number theory gives and the one that was found. */
import { frobeniusNorm, subtract } from '../../models/matrix.ts';
import { covarianceMatrix } from '../../models/tasks/covariance.ts';
import { exactTaskRisk, leastSquaresRisk } from '../../models/theory/zhang2023.ts';
import { boundClaim, type Comparison, comparisonsOf, statisticalClaim } from '../claims.ts';
import type { RunRow, TrainedModel } from '../reproduce.ts';
import { numberOf } from '../settings.ts';
import type { Claim } from '../study.ts';
import { type Findings, trainingLength, trainingTask } from './findings.ts';
import { layerMatrices, limitsOf, productOf, zeroRisk } from './law.ts';

/** How far finite training may stay from the limit: of the matrix, by how hard the covariance makes it; of the loss. */
const matrixLimits = { identity: 0.03, diagonal: 0.05, matrix: 0.05, exponential: 0.1 } as const;
const lossLimit = 0.02;

/** The learned product u U11 beside the one theory predicts. */
export function learnedProduct(model: TrainedModel) {
  const learned = productOf(model.run.frozen.parameters, trainingTask(model).dimension);
  const theory = limitsOf(trainingTask(model), trainingLength(model)).product;
  const relativeDifference = frobeniusNorm(subtract(learned, theory)) / frobeniusNorm(theory);
  return { learned, theory, relativeDifference };
}

/** Population loss of the trained matrices: half their exact risk on the training law. */
export function exactLoss(model: TrainedModel): number {
  return exactTaskRisk(layerMatrices(model.run.frozen.parameters), trainingTask(model), trainingLength(model)) / 2;
}

const lossMinimumOf = (model: TrainedModel) => limitsOf(trainingTask(model), trainingLength(model)).lossMinimum;

const worstBy = <T>(items: readonly T[], value: (item: T) => number): T =>
  items.reduce((worst, item) => (value(item) > value(worst) ? item : worst));

/** `N = 20`, or `worst of 3: N = 20`. */
const worstLabel = (group: readonly TrainedModel[], { plan }: TrainedModel): string =>
  group.length === 1 ? plan.label : `worst of ${group.length}: ${plan.label}`;

/** Every model that should be at its limit by now: of a fixed, uneven covariance plain descent is not. */
function convergedModels({ models, correlated }: Findings): readonly TrainedModel[] {
  return [...new Set([...models, correlated])];
}

function lossClaims(findings: Findings): Claim[] {
  const models = convergedModels(findings);
  const excess = (model: TrainedModel) => exactLoss(model) / lossMinimumOf(model) - 1;
  const worst = worstBy(models, excess);
  return [
    boundClaim(`loss of the trained matrices over its minimum; ${worstLabel(models, worst)}`, {
      theory: 1,
      measured: 1 + excess(worst),
      limit: 1 + lossLimit,
      shown: `${100 * lossLimit} %`,
    }),
  ];
}

function weightClaims({ models, correlated, main }: Findings): Claim[] {
  const difference = (model: TrainedModel) => learnedProduct(model).relativeDifference;
  const name = trainingTask(main).covariance.kind === 'exponential' ? 'G' : 'Γ⁻¹';
  const claimAbout = (group: readonly TrainedModel[]) => {
    const worst = worstBy(group, difference);
    const limit = matrixLimits[trainingTask(worst).covariance.kind];
    const shown = `${100 * limit} %`;
    const facts = { theory: 0, measured: difference(worst), limit, shown };
    return boundClaim(`‖u U₁₁ − ${name}‖ / ‖${name}‖; ${worstLabel(group, worst)}`, facts);
  };
  return [claimAbout(models), ...(models.includes(correlated) ? [] : [claimAbout([correlated])])];
}

/** Half the risk on fresh prompts as long as training's, on the least loss that is possible. */
function minimumClaims({ models, lengthRows }: Findings): Claim[] {
  const comparisons = models.flatMap((model): Comparison[] => {
    const row = lengthRows.find(
      ({ run, estimator, contextLength }) =>
        run === model.plan.name && estimator === 'model' && contextLength === trainingLength(model),
    );
    if (row === undefined) return [];
    const { risk, standardError } = row;
    return [
      { label: model.plan.label, theory: lossMinimumOf(model), measured: risk / 2, standardError: standardError / 2 },
    ];
  });
  return comparisons.length === 0 ? [] : [statisticalClaim('half the risk at M = N is the least loss', comparisons)];
}

function riskClaims({ models, lengthRows, scaleRows, shiftRows, correlated }: Findings): Claim[] {
  const claims: Claim[] = [];
  const lengths = [...new Set(models.map(trainingLength))];
  for (const N of lengths) {
    const names = models.filter((model) => trainingLength(model) === N).map(({ plan }) => plan.name);
    const rows = comparisonsOf(lengthRows.filter(({ run }) => names.includes(run)));
    if (rows.length > 0) claims.push(statisticalClaim(`risk against test length, N = ${N}`, rows));
  }
  if (scaleRows.length > 0) claims.push(statisticalClaim('risk against covariate scale c', comparisonsOf(scaleRows)));
  if (shiftRows.length > 0) {
    claims.push(statisticalClaim(`risk under other shifts, ${correlated.plan.label}`, comparisonsOf(shiftRows)));
  }
  return claims;
}

/** Least squares, where its risk is known: without noise it makes no error from M = d on. */
function leastSquaresClaims({ lengthRows, main }: Findings): Claim[] {
  const task = trainingTask(main);
  const { dimension, noiseVariance } = task;
  const matrix = covarianceMatrix(task.covariance, dimension);
  const rows = lengthRows.filter(({ estimator }) => estimator === 'least-squares');
  if (rows.length === 0) return [];
  if (noiseVariance === 0) {
    const exact = rows.filter(({ contextLength }) => contextLength >= dimension);
    const worst = worstBy(exact, ({ risk }) => risk);
    const claim = { theory: 0, measured: worst.risk, limit: 1e-6 * zeroRisk(task), shown: 'float32 rounding' };
    return [boundClaim('risk of least squares from M = d on', claim)];
  }
  const theoryAt = ({ contextLength }: RunRow) =>
    matrix === undefined ? undefined : leastSquaresRisk({ contextCovariance: matrix, noiseVariance, M: contextLength });
  const comparisons = rows.flatMap((row) => {
    const theory = theoryAt(row);
    // Close to M = d the squared error has no variance, and a standard error means nothing.
    const isTame = row.contextLength < dimension - 3 || row.contextLength > dimension + 3;
    if (theory === undefined || !Number.isFinite(theory) || !isTame) return [];
    const { risk, standardError, contextLength } = row;
    return [{ label: `M = ${contextLength}`, theory, measured: risk, standardError }];
  });
  return comparisons.length === 0 ? [] : [statisticalClaim('risk of least squares', comparisons)];
}

export function claimsOf(findings: Findings): Claim[] {
  return [
    ...minimumClaims(findings),
    ...lossClaims(findings),
    ...weightClaims(findings),
    ...riskClaims(findings),
    ...leastSquaresClaims(findings),
  ];
}

/** Half the variance of the response: what predicting 0 loses. */
export const zeroLossOf = (findings: Findings): number => zeroRisk(trainingTask(findings.main)) / 2;

export const testLengthOf = ({ settings }: Findings): number => numberOf(settings, 'M');
