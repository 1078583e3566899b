/** From draws to figures: the series of each, its caption and its table. */
import {
  asymptoticRisk,
  lengthMinimum,
  type Phase,
  ridgelessIclRisk,
  ridgelessIdgRisk,
  taskGap,
} from '../../models/theory/lu2024.ts';
import { drawFieldMap, type Field } from '../figures/field-map.ts';
import { type ChartPanel, type ChartSeries, drawLineChart } from '../figures/line-chart.ts';
import { geometricGrid, linearGrid, type MeasuredPoint, type Point } from '../figures/marks.ts';
import { seriesAt } from '../figures/theme.ts';
import { showNumber } from '../numbers.ts';
import type { ReportTable } from '../report.ts';
import type { FigurePlan } from '../reproduce.ts';
import type { Estimate, GridResult, RiskName, SizeSeries } from './grid.ts';

const measuredAt = (x: number, { mean, standardError }: Estimate): MeasuredPoint => ({ x, y: mean, standardError });

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

const nameOfKappa = (kappa: number) => (kappa === Number.POSITIVE_INFINITY ? '∞' : String(kappa));

/** Every draw's point as a row, with theory at the whole numbers that it was done at. */
function gridTable(results: readonly GridResult[]): ReportTable {
  return {
    columns: [
      'd',
      'τ',
      'α',
      'κ',
      'ρ',
      'λ',
      'draws',
      'ICL',
      'std. error',
      'theory',
      'IDG',
      'std. error',
      'theory',
      'solver',
    ],
    rows: results.map(({ point, phase, iclRisk, idgRisk, results: draws }) => {
      const theory = point.kind === 'dmmse' ? null : asymptoticRisk(phase);
      const most = Math.max(...draws.map(({ iterations }) => iterations));
      return [
        point.d,
        showNumber(phase.tau, 4),
        showNumber(phase.alpha, 4),
        phase.kappa === Number.POSITIVE_INFINITY ? 'inf' : showNumber(phase.kappa, 4),
        phase.rho,
        phase.lambda,
        point.draws,
        iclRisk.mean,
        iclRisk.standardError,
        theory?.iclRisk ?? null,
        idgRisk.mean,
        idgRisk.standardError,
        theory?.idgRisk ?? null,
        most > 0 ? `${most} iterations` : draws[0]!.method,
      ];
    }),
  };
}

/** A curve on a grid; where it leaves the axis it is interrupted. */
const curve = (grid: readonly number[], y: (x: number) => number): Point[] => grid.map((x) => ({ x, y: y(x) }));

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

/** A panel of Figure 2: which error, at which tau and rho. */
export interface LengthPanel {
  readonly title: string;
  readonly of: 'iclRisk' | 'idgRisk';
  readonly results: readonly GridResult[];
}

/** Figure 2. */
export function contextLength(panels: readonly LengthPanel[]): FigurePlan {
  const alphas = geometricGrid(0.7, 1500, 160);
  const { d } = panels[0]!.results[0]!.point;
  const panelOf = ({ title, of, results }: LengthPanel): ChartPanel => {
    const kappas = unique(results.map(({ point }) => point.phase.kappa));
    const { phase } = results[0]!.point;
    const risk = of === 'iclRisk' ? ridgelessIclRisk : ridgelessIdgRisk;
    return {
      title,
      x: { label: 'context length α = l/d', type: 'log', low: 0.9, high: 1300 },
      y: {
        label: of === 'iclRisk' ? 'error on fresh tasks' : 'error on pretraining tasks',
        type: 'log',
      },
      series: kappas.map((kappa, i): ChartSeries => {
        const least = lengthMinimum(of, { ...phase, kappa });
        return {
          label: kappaRanks[i]!,
          theory: curve(alphas, (alpha) => risk({ ...phase, kappa, alpha })),
          measured: results
            .filter(({ point }) => point.phase.kappa === kappa)
            .map((result) => measuredAt(result.phase.alpha, result[of])),
          ...(least === null
            ? {}
            : {
                reference: [
                  { x: least.alpha, y: least.risk * 0.93 },
                  { x: least.alpha, y: least.risk * 1.08 },
                ],
              }),
        };
      }),
    };
  };
  return {
    name: 'context-length',
    caption:
      'Errors without a ridge against context length, each panel at its own τ and ρ with five task diversities κ in rising order: ' +
      `${panels.map(({ title, results }) => `${title}: κ = ${unique(results.map(({ point }) => point.phase.kappa)).join(', ')}`).join('; ')}. ` +
      `Points are draws at d = ${d}. A short dashed stroke marks the least point of a curve that has one: from there on longer contexts ` +
      'hurt, and where κ < min(τ, 1) the error on fresh tasks grows without bound.',
    draw: (context) =>
      drawLineChart(context, {
        description: 'Errors against context length: many curves fall to a least point and rise again.',
        panels: panels.map(panelOf),
        words: { measured: `draws, d = ${d}`, theory: 'limit of large d', reference: 'least point' },
        columns: 3,
        height: 240,
      }),
    table: gridTable(panels.flatMap(({ results }) => results)),
  };
}

const kappaRanks = ['least κ', 'second', 'third', 'fourth', 'greatest κ'] as const;

const lengthMaps = [
  { title: 'A  fresh tasks, τ = 0.5', of: 'iclRisk', tau: 0.5, marks: [0.1, 0.2, 0.4, 0.5, 0.6, 1.5] },
  { title: 'B  pretraining tasks, τ = 0.5', of: 'idgRisk', tau: 0.5, marks: [0.5, 0.1, 0.3, 0.5, 0.7, 2] },
  { title: 'C  fresh tasks, τ = 20', of: 'iclRisk', tau: 20, marks: [0.5, 0.25, 0.75, 1, 1.1, 2] },
] as const;

/** The maps of Figure 3, from closed forms alone. */
export function lengthFields(columns: number, rows: number, count: number): readonly Field[] {
  const x = linearGrid(0.1, 2.1, columns);
  const y = linearGrid(0.01, 1, rows);
  return lengthMaps.map(({ title, of, tau, marks: [rho, ...kappas] }) => ({
    title,
    x,
    y,
    values: y.map((noise) =>
      x.map((kappa) => lengthMinimum(of, { tau, kappa, rho: noise }, { low: 1e-2, high: 1e3, count })?.alpha ?? null),
    ),
    guide: Math.min(tau, 1),
    points: kappas.map((kappa, i) => ({ x: kappa, y: rho, label: 'abcde'[i]! })),
  }));
}

/** Figure 3. */
export function lengthMap(fields: readonly Field[]): FigurePlan {
  const share = ({ values }: Field) => values.flat().filter((value) => value !== null).length / values.flat().length;
  return {
    name: 'length-map',
    caption:
      'The context length α from which on longer contexts hurt, without a ridge, over task diversity and noise; grey: the error only ' +
      'falls. Right of the line κ = min(τ, 1) the error on fresh tasks stays finite, and there is still a band in which it is not ' +
      'monotone. The letters stand where the curves of the figure above are taken.',
    draw: (context) =>
      drawFieldMap(context, {
        fields,
        thresholds: [3, 6, 12, 25, 50, 100, 300],
        xLabel: 'task diversity κ',
        yLabel: 'noise ρ',
        valueName: 'α',
        absentName: 'only falls',
        guideName: 'κ = min(τ, 1)',
        description: `Maps of the best context length over kappa and rho; it exists on ${fields.map((field) => `${Math.round(100 * share(field))} %`).join(', ')} of them.`,
      }),
    table: {
      columns: ['map', 'κ', 'ρ', 'α of the least point'],
      rows: fields.flatMap(({ title, x, y, values }) =>
        [0, 0.5, 1].flatMap((v) =>
          [0, 0.25, 0.5, 0.75, 1].map((u) => {
            const [i, j] = [Math.round(v * (y.length - 1)), Math.round(u * (x.length - 1))];
            return [title, x[j]!, y[i]!, values[i]![j] ?? 'only falls'];
          }),
        ),
      ),
    },
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
