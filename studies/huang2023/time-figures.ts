/** Figures of times: to epsilon against K and 1/epsilon, and the order of the phases' events. */
import { type ChartPanel, type ChartSeries, drawLineChart } from '../figures/line-chart.ts';
import { seriesAt } from '../figures/theme.ts';
import type { FigurePlan } from '../reproduce.ts';
import { isPhaseOrdered } from './claims.ts';
import type { Findings, OrderPoint, TimePoint } from './findings.ts';

const kindNames = { balanced: 'balanced', rare: 'rare, p₁ = .5' } as const;

/** A straight line of a slope through the last point, on logarithmic axes. */
function power(points: readonly { readonly x: number; readonly y: number }[], slope: number) {
  const last = points.at(-1)!;
  return points.map(({ x }) => ({ x, y: last.y * (x / last.x) ** slope }));
}

export function timeFigure({ times }: Findings): FigurePlan {
  const kinds = ['balanced', 'rare'] as const;
  const against = (
    kind: TimePoint['kind'],
    slope: number,
    choose: (point: TimePoint) => boolean,
    x: (point: TimePoint) => number,
  ): ChartSeries => {
    const own = times.filter((point) => point.kind === kind && choose(point));
    const theory = own.map((point) => ({ x: x(point), y: point.meanField }));
    return {
      label: kindNames[kind],
      ...seriesAt(kind === 'balanced' ? 2 : 0),
      theory,
      reference: power(theory, slope),
      measured: own.flatMap((point) =>
        point.sampled === null
          ? []
          : [{ x: x(point), y: point.sampled.mean, standardError: point.sampled.standardError }],
      ),
    };
  };
  const ks = [...new Set(times.map(({ K }) => K))];
  const smallest = ks[0]!;
  const panels: ChartPanel[] = [
    {
      title: 'ε = 0.1, slope 2',
      x: { label: 'features K', type: 'log' },
      y: { label: 'η × steps until L_k < ε', type: 'log' },
      series: kinds.map((kind) =>
        against(
          kind,
          2,
          ({ epsilon }) => epsilon === 0.1,
          ({ K }) => K,
        ),
      ),
    },
    {
      title: `K = ${smallest}, slope 1`,
      x: { label: '1/ε', type: 'log' },
      y: { label: 'η × steps until L_k < ε', type: 'log' },
      series: kinds.map((kind) =>
        against(
          kind,
          1,
          ({ K }) => K === smallest,
          ({ epsilon }) => 1 / epsilon,
        ),
      ),
    },
  ];
  return {
    name: 'time',
    caption:
      'Time until the loss of one query is below ε: descent on sampled prompts at N = 20 K (points, ten seeds), mean field (lines), ' +
      'slopes 2 and 1 (dashed). The number of features costs its square, not more: α_k is p_k Attn_k (…) ≈ 1/K² as long as ' +
      'the target’s attention is 1/K, so K² steps are needed as well as enough. Small ε costs 1/ε.',
    draw: (context) =>
      drawLineChart(context, {
        description: 'Time to epsilon against the number of features and against 1/epsilon, on logarithmic axes.',
        panels,
        words: { measured: 'sampled prompts', theory: 'mean field', reference: 'slopes 2 and 1' },
        height: 260,
      }),
    table: {
      columns: ['features', 'K', 'ε', 'mean field', 'sampled', 'std. error', 'exact at N = 20 K'],
      rows: times.map(({ kind, K, epsilon, meanField, sampled }) => [
        kind,
        K,
        epsilon,
        meanField,
        sampled?.mean ?? null,
        sampled?.standardError ?? null,
        sampled?.exact ?? null,
      ]),
    },
  };
}

const eventWords = {
  leadingInfluenceSwitches: 'α_k > |β_{k,1}|',
  dominantSuppressed: 'B_{k,1} < −.49 log K',
  logitsSeparate: 'A_k − B_{k,1} > 1.01 log K',
  targetGrown: 'A_k > log K',
} as const;

export function orderFigure({ orders }: Findings): FigurePlan {
  const byK = orders.filter(({ p1 }) => p1 === 0.5).sort((a, b) => a.K - b.K);
  const byP = orders.filter(({ K }) => K === 100).sort((a, b) => a.p1 - b.p1);
  const series = (points: readonly OrderPoint[], x: (point: OrderPoint) => number): ChartSeries[] =>
    Object.entries(eventWords).map(([name, label], i) => ({
      label,
      ...seriesAt(i),
      theory: points
        .filter(({ times }) => times[name] !== undefined)
        .map((point) => ({ x: x(point), y: point.times[name]! })),
    }));
  const overtakes = (points: readonly OrderPoint[], x: (point: OrderPoint) => number): ChartSeries => ({
    label: 'Attn_k > Attn₁',
    color: 'currentColor',
    reference: points
      .filter(({ times }) => times['attentionOvertakes'] !== undefined)
      .map((point) => ({ x: x(point), y: point.times['attentionOvertakes']! })),
    style: 'dash',
  });
  const y = { label: 'η × steps / K²', type: 'log' } as const;
  // At small p₁ the influence has switched from the start: its curve leaves the panel.
  const low = 0.3;
  const panels: ChartPanel[] = [
    {
      title: 'p₁ = .5',
      x: { label: 'features K', type: 'log' },
      y,
      series: [...series(byK, ({ K }) => K), overtakes(byK, ({ K }) => K)],
    },
    {
      title: 'K = 100',
      x: { label: 'probability p₁ of the dominant feature', type: 'linear', low: 0, high: 1 },
      y: { ...y, low },
      series: [...series(byP, ({ p1 }) => p1), overtakes(byP, ({ p1 }) => p1)],
    },
  ];
  const ordered = byP.filter(isPhaseOrdered).map(({ p1 }) => p1);
  const range = ordered.length === 0 ? 'nowhere' : `for p₁ from ${Math.min(...ordered)} to ${Math.max(...ordered)}`;
  return {
    name: 'order',
    caption:
      'When a rare query’s four events happen in the mean field. The phases are real: at p₁ = .5 they come in the paper’s order from ' +
      'K = 20 on, and the gap between the first and the last is a growing share of the whole. They can swap if they are told by ' +
      `the paper’s constants: at K = 100 the order is the paper’s ${range} of those drawn, since log(p₁/(1−p₁)) shifts the thresholds. ` +
      'They cannot if they are told by attention: the influence has switched before Attn_k overtakes Attn₁ (dashed), always.',
    draw: (context) =>
      drawLineChart(context, {
        description:
          'Times of the four events against K and against p1; at p1 = 0.5 the curves do not cross from K = 20 on.',
        panels,
        words: {},
        height: 280,
      }),
    table: {
      columns: ['K', 'p₁', ...Object.values(eventWords), 'Attn_k > Attn₁', 'in order'],
      rows: [...byK, ...byP.filter(({ p1 }) => p1 !== 0.5)].map((point) => [
        point.K,
        point.p1,
        ...[...Object.keys(eventWords), 'attentionOvertakes'].map((name) => point.times[name] ?? null),
        isPhaseOrdered(point) ? 'yes' : 'no',
      ]),
    },
  };
}
