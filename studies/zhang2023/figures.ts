/** From findings to figures: the numbers of each, its caption and its table. */

import { shiftNamed } from '../../models/shifts/index.ts';
import type { LinearRegressionSpec } from '../../models/tasks/linear-regression.ts';
import { scheduleFactor } from '../../train/schedule.ts';
import { initialState } from '../../train/train.ts';
import { drawCovariateScale } from '../figures/covariate-scale.ts';
import { geometricGrid, linearGrid } from '../figures/grids.ts';
import { drawLength } from '../figures/length.ts';
import { drawLoss } from '../figures/loss.ts';
import type { MeasuredPoint } from '../figures/marks.ts';
import { drawShifts } from '../figures/shifts.ts';
import { drawWeights } from '../figures/weights.ts';
import { showNumber } from '../numbers.ts';
import type { FigurePlan, RunRow, TrainedModel } from '../reproduce.ts';
import { rowsTable } from '../rows-table.ts';
import { learnedProduct, testLengthOf, zeroLossOf } from './claims.ts';
import { type Findings, trainingLength, trainingTask } from './findings.ts';
import { flowOf, layerMatrices, limitRisk, limitsOf, zeroRisk } from './law.ts';

const isFixed = (task: LinearRegressionSpec) => task.covariance.kind !== 'exponential';

const labelsOf = ({ models, correlated }: Findings) =>
  new Map([...models, correlated].map(({ plan }) => [plan.name, plan.label]));

/** Models with the same training length, the shortest first; each has one colour. */
function byLength(models: readonly TrainedModel[]): { N: number; models: TrainedModel[] }[] {
  const lengths = [...new Set(models.map(trainingLength))].sort((a, b) => a - b);
  return lengths.map((N) => ({ N, models: models.filter((model) => trainingLength(model) === N) }));
}

const FEWEST_STEPS = 16;
const WINDOW_GROWTH = 1.25;

/**
 * Mean losses in windows of steps that grow with the step, at the windows' mean time. The loss of step k was that of the
 * parameters after k updates: its time is the sum of the learning rates before it.
 */
export function lossWindows({ run: { metrics, config } }: TrainedModel): MeasuredPoint[] {
  const rate = (step: number) => config.optimizer.learningRate * scheduleFactor(config.schedule, step, config.steps);
  const points: MeasuredPoint[] = [];
  let window: { readonly time: number; readonly loss: number }[] = [];
  let time = 0;
  let end = FEWEST_STEPS;
  metrics.forEach(({ loss }, step) => {
    window.push({ time, loss });
    time += rate(step);
    if (step + 1 < end) return;
    const mean = meanOf(window.map((entry) => entry.loss));
    const variance = meanOf(window.map((entry) => (entry.loss - mean) ** 2)) * (window.length / (window.length - 1));
    const x = meanOf(window.map((entry) => entry.time));
    points.push({ x, y: mean, standardError: Math.sqrt(variance / window.length) });
    window = [];
    end = Math.max(end + FEWEST_STEPS, Math.ceil(end * WINDOW_GROWTH));
  });
  return points;
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function lossFigure(findings: Findings): FigurePlan {
  // One seed is enough to see it; the others are in the tables.
  const isIsotropic = trainingTask(findings.main).covariance.kind === 'identity';
  const shown = byLength(findings.descents).map(({ models }) => models[0]!);
  const series = shown.map((model) => {
    const measured = lossWindows(model);
    const [task, N] = [trainingTask(model), trainingLength(model)];
    const times = geometricGrid(measured[0]!.x, measured.at(-1)!.x, 160);
    const { loss } = flowOf(task, N, layerMatrices(initialState(model.run.config).parameters), times);
    return {
      label: `N = ${N}`,
      measured,
      flow: times.map((x, i) => ({ x, y: loss[i]! })),
      minimum: limitsOf(task, N).lossMinimum,
    };
  });
  return {
    name: 'loss',
    caption:
      'Training loss of plain stochastic gradient descent from the paper’s start (σ = 0.1), in windows of steps with bars of ' +
      'two standard errors, beside gradient flow from the same start. It stays on a plateau, drops once and ' +
      (isIsotropic
        ? 'settles at the minimum ½[tr Λ − tr(Λ²Γ⁻¹)].'
        : 'then falls slowly towards the minimum, along directions in which the covariates vary little.'),
    draw: (context) => drawLoss(context, { series, zeroLoss: zeroLossOf(findings) }),
    table: {
      columns: ['model', 'time t', 'loss', 'std. error'],
      rows: series.flatMap(({ label, measured }) =>
        measured.map(({ x, y, standardError }) => [label, x, y, standardError]),
      ),
    },
  };
}

function weightsFigure({ models, main, correlated }: Findings): FigurePlan {
  const theoryName = isFixed(trainingTask(main)) ? 'Γ⁻¹' : 'G';
  const rows = [...new Set([main, correlated])].map((model) => ({ label: model.plan.label, ...learnedProduct(model) }));
  const all = [...new Set([...models, correlated])];
  const percent = (value: number) => `${showNumber(100 * value, 2)} %`;
  return {
    name: 'weights',
    caption:
      `Left what training found, in the middle what ${isFixed(trainingTask(main)) ? 'Theorem 4.1' : 'Theorem 4.5'} says, on one colour scale. ` +
      `The difference has ${rows.map(({ label, relativeDifference }) => `${percent(relativeDifference)} of the theory’s norm (${label})`).join(' and ')}.`,
    draw: (context) => drawWeights(context, { rows, learnedName: 'u U₁₁', theoryName }),
    table: {
      columns: ['model', `‖u U₁₁ − ${theoryName}‖ / ‖${theoryName}‖`],
      rows: all.map((model) => [model.plan.label, learnedProduct(model).relativeDifference]),
    },
  };
}

const pointsOf = (rows: readonly RunRow[], x: (row: RunRow) => number): MeasuredPoint[] =>
  rows.map((row) => ({ x: x(row), y: row.risk, standardError: row.standardError }));

function lengthFigure(findings: Findings): FigurePlan {
  const { models, lengthRows } = findings;
  const lengths = lengthRows.map(({ contextLength }) => contextLength);
  const grid = [...new Set(geometricGrid(Math.min(...lengths), Math.max(...lengths), 90).map(Math.round))];
  const series = byLength(models).map(({ N, models: same }) => {
    const task = trainingTask(same[0]!);
    const risk = limitRisk(task, N);
    const names = same.map(({ plan }) => plan.name);
    const rows = lengthRows.filter(({ run, estimator }) => names.includes(run) && estimator === 'model');
    return {
      label: `N = ${N}`,
      theory: grid.map((M) => ({ x: M, y: risk(task, M) })),
      measured: pointsOf(rows, ({ contextLength }) => contextLength),
      floor: risk(task, Number.POSITIVE_INFINITY),
    };
  });
  const leastSquares = lengthRows.filter(({ estimator }) => estimator === 'least-squares');
  return {
    name: 'length',
    caption:
      'Measured risk lies on the exact curve of Theorem 4.2. A model that was trained on N pairs gains from longer test ' +
      'prompts as 1/M, down to a floor of order 1/N² (dashed) that no test prompt removes. On prompts much shorter than N it ' +
      'does worse than predicting 0. ' +
      (trainingTask(findings.main).noiseVariance === 0 ? 'Least squares makes no error once M ≥ d.' : ''),
    draw: (context) =>
      drawLength(context, {
        series,
        leastSquares: pointsOf(leastSquares, ({ contextLength }) => contextLength),
        zeroRisk: zeroRisk(trainingTask(findings.main)),
      }),
    table: rowsTable(lengthRows, labelsOf(findings)),
  };
}

function covariateScaleFigure(findings: Findings): FigurePlan {
  const { main, scaleRows } = findings;
  const [task, N, M] = [trainingTask(main), trainingLength(main), testLengthOf(findings)];
  const shift = shiftNamed('covariate-scale');
  const levels = scaleRows.map(({ level }) => level!);
  const grid = geometricGrid(Math.min(...levels), Math.max(...levels), 161);
  const relativeTo = (c: number, risk: number) => risk / zeroRisk(shift.apply(task, c));
  const risk = limitRisk(task, N);
  const longRisk = limitRisk(task, Number.POSITIVE_INFINITY);
  const measured = (estimator: string) =>
    scaleRows
      .filter((row) => row.estimator === estimator)
      .map((row) => ({
        x: row.level!,
        y: relativeTo(row.level!, row.risk),
        standardError: relativeTo(row.level!, row.standardError),
      }));
  const isPlain = isFixed(task) && task.noiseVariance === 0;
  return {
    name: 'covariate-scale',
    caption:
      'When all covariates are multiplied by c, the layer predicts c² times what it should: beyond c ≈ 1.4 it does worse than ' +
      `predicting 0. Measured at N = ${N}, M = ${M} on the exact curve; the dashed limit of long prompts is ` +
      `${isPlain ? '(1 − c²)²' : 'that of the same layer without finite-length terms'}. Least squares does not notice the change of unit.`,
    draw: (context) =>
      drawCovariateScale(context, {
        label: `N = ${N}, M = ${M}`,
        limitLabel: isPlain ? '(1 − c²)²' : 'N, M → ∞',
        theory: grid.map((c) => ({ x: c, y: relativeTo(c, risk(shift.apply(task, c), M)) })),
        limit: grid.map((c) => ({ x: c, y: relativeTo(c, longRisk(shift.apply(task, c), Number.POSITIVE_INFINITY)) })),
        measured: measured('model'),
        leastSquares: measured('least-squares'),
      }),
    table: rowsTable(scaleRows, labelsOf(findings)),
  };
}

const panels: Readonly<Record<string, { readonly title: string; readonly levelLabel: string }>> = {
  'task-scale': { title: 'Steeper tasks', levelLabel: 'factor s on all task vectors' },
  'query-scale': { title: 'Query further out', levelLabel: 'factor c on the query alone' },
  'query-subspace': { title: 'Query in few directions', levelLabel: 'dimensions k of the query' },
  'covariate-spectrum': { title: 'Skewed covariates', levelLabel: 'exponent p, variances ∝ i⁻ᵖ' },
  'covariate-rotation': { title: 'Rotated covariates', levelLabel: 'angle (degrees)' },
  'label-noise': { title: 'Label noise', levelLabel: 'noise variance (squared responses)' },
};

function shiftsFigure(findings: Findings): FigurePlan {
  const { correlated, shiftRows } = findings;
  const [task, N, M] = [trainingTask(correlated), trainingLength(correlated), testLengthOf(findings)];
  const risk = limitRisk(task, N);
  const names = [...new Set(shiftRows.map(({ shift }) => shift!))];
  const drawn = names.map((name) => {
    const rows = shiftRows.filter((row) => row.shift === name && row.estimator === 'model');
    const shift = shiftNamed(name);
    const levels = rows.map(({ level }) => level!);
    const grid = name === 'query-subspace' ? levels : linearGrid(Math.min(...levels), Math.max(...levels), 61);
    return {
      ...panels[name]!,
      theory: grid.map((level) => ({ x: level, y: risk(shift.apply(task, level), M) })),
      measured: pointsOf(rows, ({ level }) => level!),
      zero: grid.map((level) => ({ x: level, y: zeroRisk(shift.apply(task, level)) })),
    };
  });
  return {
    name: 'shifts',
    caption:
      `The model ${correlated.plan.label}, M = ${M}, under shifts that Theorem 4.2 tolerates (task, label noise), that it tolerates for ` +
      'long prompts (query) and that it does not (covariates). Every measured point lies on the exact curve.',
    draw: (context) => drawShifts(context, drawn),
    table: rowsTable(shiftRows, labelsOf(findings)),
  };
}

/** The figures that the findings have data for. */
export function figurePlans(findings: Findings): FigurePlan[] {
  const { lengthRows, scaleRows, shiftRows, descents } = findings;
  return [
    ...(descents.length > 0 ? [lossFigure(findings)] : []),
    weightsFigure(findings),
    ...(lengthRows.length > 0 ? [lengthFigure(findings)] : []),
    ...(scaleRows.length > 0 ? [covariateScaleFigure(findings)] : []),
    ...(shiftRows.length > 0 ? [shiftsFigure(findings)] : []),
  ];
}
