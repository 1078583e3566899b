import { firstOrderTotalVariation } from '../../models/theory/shen2024.ts';
import { geometricGrid, linearGrid } from '../figures/grids.ts';
import { drawHeatMaps } from '../figures/heat-map.ts';
import { type ChartPanel, type ChartSeries, drawLineChart } from '../figures/line-chart.ts';
import type { Point } from '../figures/marks.ts';
import { seriesAt } from '../figures/theme.ts';
import { showNumber } from '../numbers.ts';
import type { FigurePlan, TrainedModel } from '../reproduce.ts';
import { numberOf } from '../settings.ts';
import { contractions, relativeDistance } from './claims.ts';
import { accuracy, lengthOfRow, pointsOf, tableOf } from './figure-rows.ts';
import { classesOf, type Findings, rowsOf, sorted, trainingLength, trainingTask } from './findings.ts';
import { learnedProduct, limitRisks, scaleOf, settingOf, taskOf } from './law.ts';
import { baselinesFigure, depthFigure, shiftsFigure } from './transfer-figures.ts';

/** One model per training length: seeds show the same. */
function byLength(models: readonly TrainedModel[]): { readonly N: number; readonly same: readonly TrainedModel[] }[] {
  return sorted(models.map(trainingLength)).map((N) => ({
    N,
    same: models.filter((model) => trainingLength(model) === N),
  }));
}

function lengthFigure({ models, lengthRows }: Findings): FigurePlan {
  const lengths = lengthRows.map(lengthOfRow);
  const grid = sorted(geometricGrid(Math.min(...lengths), Math.max(...lengths), 14).map(Math.round));
  const groups = byLength(models);
  const curves = groups.map(({ N, same }) => {
    const task = trainingTask(same[0]!);
    return { N, task, same, risks: grid.map((M) => ({ x: M, risks: limitRisks(task, N, task, M, 2) })) };
  });
  const rowsAt = (same: readonly TrainedModel[], measure: 'total-variation' | 'error-rate') =>
    same.flatMap((model) => rowsOf(lengthRows, model, measure));
  const variation: ChartSeries[] = curves.map(({ N, task, same, risks }) => {
    const gamma = scaleOf(settingOf(task), N).mean / task.classes - 1;
    const from = Math.max(40, grid[0]!);
    return {
      label: `N = ${N}`,
      measured: pointsOf(rowsAt(same, 'total-variation'), lengthOfRow),
      theory: risks.map((each) => ({ x: each.x, y: each.risks.totalVariation.mean })),
      // Far from its limit a first order says nothing.
      reference: (gamma < -0.5 ? [] : grid)
        .filter((M) => M >= from)
        .map((M) => ({ x: M, y: firstOrderTotalVariation(settingOf(task), { gamma, M }, { shifts: 1 }).mean })),
    };
  });
  const bayes = curves[0]!.risks[0]!.risks.bayesAccuracy.mean;
  const accurate: ChartSeries[] = curves.map(({ N, same, risks }, i) => ({
    label: `N = ${N}`,
    measured: pointsOf(rowsAt(same, 'error-rate'), lengthOfRow, accuracy),
    // One curve for all N: decisions do not depend on it.
    theory: i === 0 ? risks.map((each) => ({ x: each.x, y: each.risks.accuracy.mean })) : [],
  }));
  const x = { label: 'test length M (pairs)', type: 'log' } as const;
  const panels: ChartPanel[] = [
    { title: 'Total variation to the true law', x, y: { label: 'total variation', type: 'log' }, series: variation },
    {
      title: 'Accuracy: the same for all N',
      x,
      y: { label: 'accuracy', type: 'linear' },
      series: accurate,
      guides: [{ axis: 'y', at: bayes, style: 'dot' }],
    },
  ];
  const { dimension, classes, radius } = trainingTask(models[0]!);
  return {
    name: 'length',
    caption:
      `d = ${dimension}, c = ${classes}, r = ${radius}. Left: the error of the predicted probabilities falls as 1/√M to a floor of ` +
      'order 1/N; the solid curves are exact for W = w_N Λ⁻¹, the dashed ones their first order in 1/N and 1/√M. Points lie ' +
      'a little above where the noise of a finite training shows, at long test prompts. Right: the decision depends on the ' +
      `direction of W only, so all N have one curve, which rises to the accuracy of Bayes, ${showNumber(bayes, 3)} (dotted).`,
    draw: (context) =>
      drawLineChart(context, {
        description:
          'Total variation against test length falls to a floor for each training length; accuracy against test length is the same for all training lengths.',
        panels,
        words: { measured: 'measured', theory: 'exact, W = w_N Λ⁻¹', reference: 'first order' },
        height: 260,
      }),
    table: tableOf(lengthRows),
  };
}

function floorFigure({ models, lengthRows }: Findings): FigurePlan {
  const task = trainingTask(models[0]!);
  const setting = settingOf(task);
  const longest = Math.max(...lengthRows.map(lengthOfRow));
  const lengths = sorted(models.map(trainingLength));
  const grid = sorted(geometricGrid(Math.min(...lengths), 4 * Math.max(...lengths), 10).map(Math.round));
  const exact = (M: number): Point[] =>
    grid.map((N) => ({ x: N, y: limitRisks(task, N, task, M, 2).totalVariation.mean }));
  const limit = exact(Number.POSITIVE_INFINITY);
  const last = limit.at(-1)!;
  const measured = models.flatMap((model) =>
    pointsOf(
      rowsOf(lengthRows, model, 'total-variation').filter(({ contextLength }) => contextLength === longest),
      () => trainingLength(model),
    ),
  );
  const series: ChartSeries[] = [
    { label: `M = ${longest}`, measured, theory: exact(longest) },
    {
      label: 'M → ∞',
      theory: limit,
      color: seriesAt(1).color,
      reference: grid.map((N) => ({ x: N, y: (last.y * last.x) / N })).filter(({ y }) => y <= 2 * limit[0]!.y),
    },
  ];
  const w = lengths.map((N) => `w_${N} = ${showNumber(scaleOf(setting, N).mean, 4)}`).join(', ');
  return {
    name: 'floor',
    caption:
      `With M → ∞ the only error left is that of W: w_N is less than c by a share of order 1/N, so predictions are too timid (${w}). ` +
      `At M = ${longest} the scatter of the context adds to it.`,
    draw: (context) =>
      drawLineChart(context, {
        description:
          'Total variation in the limit of long prompts falls in proportion to 1/N; at finite M it levels off.',
        panels: [
          {
            x: { label: 'training length N (pairs)', type: 'log' },
            y: { label: 'total variation', type: 'log' },
            series,
          },
        ],
        words: { measured: 'measured', theory: 'exact, W = w_N Λ⁻¹', reference: '∝ 1/N' },
      }),
    table: {
      columns: ['N', 'w_N', 'γ_N', 'TV, M → ∞'],
      rows: limit.map(({ x, y }) => {
        const { mean } = scaleOf(setting, x);
        return [x, mean, mean / task.classes - 1, y];
      }),
    },
  };
}

function classesFigure({ settings, byClasses, classRows }: Findings): FigurePlan {
  const [N, M] = [numberOf(settings, 'N'), numberOf(settings, 'M')];
  const counts = sorted([...byClasses.map(classesOf), 3, 4, 7]).filter(
    (c) => c <= Math.max(...byClasses.map(classesOf)),
  );
  const theory = counts.map((c) => {
    const task = taskOf({ ...settings, c });
    return { c, risks: limitRisks(task, N, task, M, 2) };
  });
  const measured = (measure: 'total-variation' | 'error-rate', y = (risk: number) => risk) =>
    byClasses.flatMap((model) => pointsOf(rowsOf(classRows, model, measure), () => classesOf(model), y));
  const x = { label: 'classes c', type: 'log' } as const;
  return {
    name: 'classes',
    caption:
      `N = ${N}, M = ${M}. Each class has its own mean to be found from N/c pairs: the theorem’s bounds grow as c²/N + c^{3/2}/√M, and ` +
      'so does what is measured until it is as large as it can be. Right: accuracy beside that of Bayes (dashed).',
    draw: (context) =>
      drawLineChart(context, {
        description: 'Total variation grows and accuracy falls with the number of classes, on the theory.',
        panels: [
          {
            title: 'Total variation to the true law',
            x,
            y: { label: 'total variation', type: 'log' },
            series: [
              {
                label: 'model',
                measured: measured('total-variation'),
                theory: theory.map(({ c, risks }) => ({ x: c, y: risks.totalVariation.mean })),
              },
            ],
          },
          {
            title: 'Accuracy',
            x,
            y: { label: 'accuracy', type: 'linear', low: 0, high: 1 },
            series: [
              {
                label: 'model',
                measured: measured('error-rate', accuracy),
                theory: theory.map(({ c, risks }) => ({ x: c, y: risks.accuracy.mean })),
                reference: theory.map(({ c, risks }) => ({ x: c, y: risks.bayesAccuracy.mean })),
              },
            ],
          },
        ],
        words: { measured: 'measured', theory: 'exact, W = w_N Λ⁻¹', reference: 'Bayes' },
        height: 230,
      }),
    table: tableOf(classRows),
  };
}

function rateFigure({ descents }: Findings): FigurePlan {
  const series = descents.map((descent): ChartSeries => {
    const { distances, model } = descent;
    const { predicted, last } = contractions(descent);
    const anchor = distances.find(({ step }) => step >= 0.6 * last.step)!;
    // Where float32 ends, so does what can be compared.
    const shown = distances.filter(({ step }) => step <= last.step);
    return {
      label: model.plan.label.replace('descent, ', ''),
      measured: shown.map(({ step, distance }) => ({ x: step, y: distance, standardError: 0 })),
      reference: linearGrid(0, last.step, 2).map((step) => ({
        x: step,
        y: anchor.distance * predicted ** (step - anchor.step),
      })),
    };
  });
  const prompts = descents[0]!.model.run.config.trainingPrompts;
  return {
    name: 'rate',
    caption:
      `Descent on all of ${prompts} prompts at once (d = 5, N = 50, r = 1) at the rate 1/ℓ, ℓ the bound on the curvature: the distance to the ` +
      'optimum of these prompts, found by Newton’s method in float64, falls by 1 − η λ_min a step, λ_min the least eigenvalue of ' +
      `the Hessian there (dashed): ${descents
        .map((descent) => {
          const { measured, predicted } = contractions(descent);
          return `${showNumber(measured, 5)} measured, ${showNumber(predicted, 5)} predicted for ${descent.model.plan.label.replace('descent, ', '')}`;
        })
        .join('; ')}.`,
    draw: (context) =>
      drawLineChart(context, {
        description:
          'The distance to the optimum falls along a straight line on a logarithmic axis, at the predicted slope.',
        panels: [
          {
            x: { label: 'step t', type: 'linear', low: 0 },
            y: { label: '‖Wᵗ − W*‖ (Frobenius)', type: 'log' },
            series,
          },
        ],
        words: { measured: 'measured', reference: 'predicted rate, 1 − η λ_min' },
      }),
    table: {
      columns: ['run', 'step', 'distance'],
      rows: descents.flatMap(({ model, distances }) =>
        distances.map(({ step, distance }) => [model.plan.label, step, distance]),
      ),
    },
  };
}

function weightsFigure({ main, models, byClasses }: Findings): FigurePlan {
  const model = main!;
  const { product, w } = learnedProduct(model.run.frozen);
  const limit = scaleOf(settingOf(trainingTask(model)), trainingLength(model)).mean;
  const theory = product.map((row, i) => row.map((_, j) => (i === j ? limit : 0)));
  const difference = product.map((row, i) => row.map((value, j) => value - theory[i]![j]!));
  const all = [...new Set([...models, ...byClasses])];
  return {
    name: 'weights',
    caption:
      `W Λ of the model ${model.plan.label} beside w_N I, w_N = ${showNumber(limit, 4)}; the mean of the diagonal is ${showNumber(w, 4)}. Under the ` +
      'invariance of the law of tasks W* is a multiple of Λ⁻¹ for every N: the matrix G of the theorem has no other direction.',
    draw: (context) =>
      drawHeatMaps(context, {
        maps: [
          { title: 'W Λ, learned', subtitle: model.plan.label, matrix: product },
          { title: 'w_N I, theory', subtitle: `w_N = ${showNumber(limit, 4)}`, matrix: theory },
          {
            title: 'difference',
            subtitle: `${(100 * relativeDistance(model)).toPrecision(2)} % of the theory`,
            matrix: difference,
          },
        ],
        scale: 'diverging',
        isShared: true,
        valueName: 'entry',
        columns: 3,
        narrowColumns: 1,
        description:
          'Heat maps of W Lambda, of w_N I and of their difference: the learned matrix is a multiple of the identity up to noise.',
      }),
    table: {
      columns: ['model', 'tr(W Λ)/d', 'std. error', 'w_N', '‖W Λ − w_N I‖ / ‖w_N I‖'],
      rows: all.map((each) => {
        const learned = learnedProduct(each.run.frozen);
        const { mean } = scaleOf(settingOf(trainingTask(each)), trainingLength(each));
        return [each.plan.label, learned.w, learned.standardError, mean, relativeDistance(each)];
      }),
    },
  };
}

/** The figures that the findings have data for. */
export function figurePlans(findings: Findings): FigurePlan[] {
  const { lengthRows, classRows, descents, main, shiftRows, baselineRows, depthRows } = findings;
  return [
    ...(lengthRows.length > 0 ? [lengthFigure(findings), floorFigure(findings)] : []),
    ...(classRows.length > 0 ? [classesFigure(findings)] : []),
    ...(descents.length > 0 ? [rateFigure(findings)] : []),
    ...(main !== undefined ? [weightsFigure(findings)] : []),
    ...(shiftRows.length > 0 ? [shiftsFigure(findings)] : []),
    ...(baselineRows.length > 0 ? [baselinesFigure(findings)] : []),
    ...(depthRows.length > 0 ? [depthFigure(findings)] : []),
  ];
}
