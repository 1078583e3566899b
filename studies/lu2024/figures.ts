/** From draws to figures: the series of each, its caption and its table. */
import { asymptoticRisk, type Phase, taskGap } from '../../models/theory/lu2024.ts';
import { geometricGrid, linearGrid } from '../figures/grids.ts';
import { type ChartPanel, type ChartSeries, drawLineChart } from '../figures/line-chart.ts';
import { seriesAt } from '../figures/theme.ts';
import { showNumber } from '../numbers.ts';
import type { FigurePlan } from '../reproduce.ts';
import { curve, gridTable, measuredAt, nameOfKappa, unique } from './figure-rows.ts';
import type { GridResult, RiskName, SizeSeries } from './grid.ts';

/** Figure 1A and B. */
export function doubleDescent(results: readonly GridResult[]): FigurePlan {
  const alphas = unique(results.map(({ point }) => point.phase.alpha));
  const { d, draws, phase } = results[0]!.point;
  const taus = linearGrid(0.1, 2.1, 401);
  const panelOf = (name: RiskName, title: string): ChartPanel => ({
    title,
    x: { label: 'contexts τ = n/d²', type: 'linear', low: 0.1, high: 2.1 },
    y: {
      label: name === 'iclRisk' ? 'error on fresh tasks' : 'error on pretraining tasks',
      type: 'log',
      low: name === 'iclRisk' ? 0.4 : 0.02,
      high: 20,
    },
    guides: [{ axis: 'x', at: 1, label: 'τ = 1' }],
    series: alphas.map((alpha): ChartSeries => {
      const own = results.filter(({ point }) => point.phase.alpha === alpha);
      return {
        label: `α = ${alpha}`,
        theory: curve(taus, (tau) => asymptoticRisk({ ...phase, alpha, tau })[name]),
        measured: own.map((result) => measuredAt(result.phase.tau, result[name])),
      };
    }),
  });
  return {
    name: 'double-descent',
    caption:
      `Both errors of the ridge solution (λ = ${phase.lambda}) against the number of pretraining contexts, κ = ${nameOfKappa(phase.kappa)}, ρ = ${phase.rho}. ` +
      `Points are means of ${draws} draws at d = ${d} with bars of two standard errors, curves the limit of large d. Both diverge ` +
      'as 1/|τ − 1| where there are as many contexts as parameters; points lie above their curves by an amount of order 1/d.',
    draw: (context) =>
      drawLineChart(context, {
        description: `Errors on fresh and on pretraining tasks against tau for alpha ${alphas.join(', ')}: both peak at tau = 1.`,
        panels: [panelOf('iclRisk', 'fresh tasks (ICL)'), panelOf('idgRisk', 'pretraining tasks (IDG)')],
        words: { measured: `draws, d = ${d}`, theory: 'limit of large d' },
        height: 260,
      }),
    table: gridTable(results),
  };
}

/** Figure 1C. */
export function ridgeFigure(results: readonly GridResult[]): FigurePlan {
  const lambdas = unique(results.map(({ point }) => point.phase.lambda));
  const { d, draws, phase } = results[0]!.point;
  const taus = linearGrid(0.1, 2.1, 401);
  return {
    name: 'ridge',
    caption:
      `Error on fresh tasks for three ridges, α = ${phase.alpha}, κ = ∞, ρ = ${phase.rho}; ${draws} draws at d = ${d}. With a ridge of ` +
      'order 1 the peak at τ = 1 is gone; too large a one costs elsewhere.',
    draw: (context) =>
      drawLineChart(context, {
        description: `Error on fresh tasks against tau for ridges ${lambdas.join(', ')}: only the smallest has a peak.`,
        panels: [
          {
            x: { label: 'contexts τ = n/d²', type: 'linear', low: 0.1, high: 2.1 },
            y: { label: 'error on fresh tasks', type: 'log', low: 0.15, high: 30 },
            guides: [{ axis: 'x', at: 1, label: 'τ = 1' }],
            series: lambdas.map((lambda) => ({
              label: `λ = ${showNumber(lambda, 2)}`,
              theory: curve(taus, (tau) => asymptoticRisk({ ...phase, lambda, tau }).iclRisk),
              measured: results
                .filter(({ point }) => point.phase.lambda === lambda)
                .map((result) => measuredAt(result.phase.tau, result.iclRisk)),
            })),
          },
        ],
        words: { measured: `draws, d = ${d}`, theory: 'limit of large d' },
      }),
    table: gridTable(results),
  };
}

/** Figure 4A and B. */
export function gapFigure(fits: readonly GridResult[], bayes: readonly GridResult[]): FigurePlan {
  const kappas = geometricGrid(0.1, 60, 120);
  const { d, phase } = fits[0]!.point;
  const alphas = unique(fits.map(({ point }) => point.phase.alpha)).sort((a, b) => a - b);
  const gapAt = (alpha: number, kappa: number) => taskGap(asymptoticRisk({ ...phase, alpha, tau: 0.2 * alpha, kappa }));
  const at = (results: readonly GridResult[], alpha: number) =>
    results
      .filter(({ point }) => point.phase.alpha === alpha)
      .map((result) => measuredAt(result.phase.kappa, result.gap))
      .sort((a, b) => a.x - b.x);
  const panelOf = (shown: readonly number[], type: 'log' | 'linear', title: string): ChartPanel => ({
    title,
    x: { label: 'task diversity κ = k/d', type: 'log', low: 0.08, high: 100 },
    y: {
      label: 'task gap',
      type,
      ...(type === 'log' ? { low: 1e-4, high: 4 } : { low: 0 }),
    },
    guides: [{ axis: 'x', at: 1, label: 'κ = 1' }],
    series: shown.flatMap((alpha) => {
      const look = seriesAt(alphas.indexOf(alpha));
      return [
        {
          label: `α = ${alpha}`,
          theory: curve(kappas, (kappa) => gapAt(alpha, kappa)),
          measured: at(fits, alpha),
          ...look,
        },
        { label: `Bayes with the bank, α = ${alpha}`, trace: at(bayes, alpha), style: 'dot' as const, ...look },
      ];
    }),
  });
  return {
    name: 'task-gap',
    caption:
      `How much worse fresh tasks are than pretraining tasks, against the number of these, τ = 0.2 α, ρ = ${phase.rho}. Points: linear ` +
      `attention at d = ${d}; curves: the limit of large d; dotted: the Bayes estimator that knows the bank. Linear attention passes from ` +
      'memory to in-context learning at one task per dimension, the sharper the longer the contexts. Bayes with the bank keeps to its ' +
      'memory: to generalise it would need exponentially many tasks.',
    draw: (context) =>
      drawLineChart(context, {
        description: 'The gap falls steeply at kappa = 1 for linear attention and stays large for Bayes with the bank.',
        panels: [panelOf(alphas.slice(0, 3), 'log', 'logarithmic'), panelOf(alphas.slice(1), 'linear', 'linear')],
        words: { measured: `draws, d = ${d}`, theory: 'limit of large d' },
        height: 280,
      }),
    table: gridTable([...fits, ...bayes]),
  };
}

/** The authors' quick figure. */
export function demoFigure(results: readonly GridResult[], seconds: number): FigurePlan {
  const { d, draws, phase } = results[0]!.point;
  const kappas = geometricGrid(0.15, 40, 160);
  const theory = (of: (phase: Phase) => number) => curve(kappas, (kappa) => of({ ...phase, kappa }));
  const series: ChartSeries[] = [
    {
      label: 'fresh tasks',
      theory: theory((at) => asymptoticRisk(at).iclRisk),
      measured: results.map((result) => measuredAt(result.phase.kappa, result.iclRisk)),
    },
    {
      label: 'pretraining tasks',
      theory: theory((at) => asymptoticRisk(at).idgRisk),
      measured: results.map((result) => measuredAt(result.phase.kappa, result.idgRisk)),
    },
    {
      label: 'their difference',
      theory: theory((at) => taskGap(asymptoticRisk(at))),
      measured: results.map((result) => measuredAt(result.phase.kappa, result.gap)),
    },
  ];
  return {
    name: 'demo',
    caption:
      `The figure that the authors’ repository offers for a processor: α = τ = 10, ρ = ${phase.rho}, λ = ${phase.lambda}, ${results.length} task ` +
      `diversities, ${draws} draws each, d = ${d}. ${results.length * draws} fits took ${seconds.toFixed(1)} s here; their own measure is ` +
      '260 s at d = 32. Few tasks are few vectors in d dimensions: at small κ finite d lies visibly above the limit.',
    draw: (context) =>
      drawLineChart(context, {
        description: 'Errors on fresh and pretraining tasks and their difference against task diversity.',
        panels: [
          {
            x: { label: 'task diversity κ = k/d', type: 'log' },
            y: { label: 'squared error', type: 'log' },
            guides: [{ axis: 'x', at: 1, label: 'κ = 1' }],
            series,
          },
        ],
        words: { measured: `draws, d = ${d}`, theory: 'limit of large d' },
      }),
    table: gridTable(results),
  };
}

/** Errors against 1/d. */
export function finiteSize(series: readonly SizeSeries[]): FigurePlan {
  const panelOf = (name: RiskName, title: string): ChartPanel => ({
    title,
    x: { label: '1/d', type: 'linear', low: -0.001, high: 0.054 },
    y: { label: title, type: 'linear' },
    series: series.map(({ label, results, limits }, i): ChartSeries => {
      const { mean, slope, theory } = limits[name];
      return {
        label,
        measured: results.map((result) => measuredAt(1 / result.point.d, result[name])),
        theory: [
          { x: 0, y: theory },
          { x: 0.0016, y: theory },
        ],
        reference: [
          { x: 0, y: mean },
          { x: 0.052, y: mean + 0.052 * slope },
        ],
        color: seriesAt(i).color,
      };
    }),
  });
  return {
    name: 'finite-size',
    caption:
      'Errors at finite d approach their limit as 1/d. Points are means over draws, dashed lines a + b/d through them, and the short stroke ' +
      'at 1/d = 0 is the asymptotic theory, to which the lines were not told to go.',
    draw: (context) =>
      drawLineChart(context, {
        description: 'Errors against 1/d on straight lines that end at the asymptotic values.',
        panels: [panelOf('iclRisk', 'error on fresh tasks'), panelOf('idgRisk', 'error on pretraining tasks')],
        words: { measured: 'draws', theory: 'limit of large d', reference: 'a + b/d' },
        height: 260,
      }),
    table: {
      columns: ['point', 'error', 'a', 'std. error', 'theory', 'z', 'b'],
      rows: series.flatMap(({ label, limits }) =>
        Object.entries(limits).map(([name, { mean, standardError, theory, slope }]) => [
          label,
          { iclRisk: 'fresh tasks', idgRisk: 'pretraining tasks', trainRisk: 'pretraining contexts' }[name]!,
          mean,
          standardError,
          theory,
          (mean - theory) / standardError,
          slope,
        ]),
      ),
    },
  };
}
