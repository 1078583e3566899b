/** From findings to the figures of the dynamics: the numbers of each, its caption and its table. */
import { tailLoss } from '../../models/theory/huang2023.ts';
import { drawHeatMaps } from '../figures/heat-map.ts';
import { type ChartPanel, type ChartSeries, drawLineChart } from '../figures/line-chart.ts';
import { seriesAt } from '../figures/theme.ts';
import type { ReportTable } from '../report.ts';
import type { FigurePlan } from '../reproduce.ts';
import type { Settings } from '../study.ts';
import {
  along,
  etaOf,
  exactStates,
  type Findings,
  lengthOf,
  type Probed,
  probabilityOf,
  type QuantityName,
  quantities,
  queryKinds,
  stepGrid,
} from './findings.ts';
import { influencePanels } from './influence.ts';
import { featureSettings } from './law.ts';
import { measuredFigures } from './measured-figures.ts';
import { eventsAt, phaseRanges } from './phases.ts';
import { orderFigure, timeFigure } from './time-figures.ts';

type Kind = ReturnType<typeof queryKinds>[number];

const looks: Readonly<Record<Kind, { readonly color: string; readonly mark: ReturnType<typeof seriesAt>['mark'] }>> = {
  rare: seriesAt(0),
  dominant: seriesAt(1),
  balanced: seriesAt(2),
};
const queryNames: Readonly<Record<Kind, string>> = {
  rare: 'rare query',
  dominant: 'dominant query',
  balanced: 'balanced',
};

interface CurveOptions {
  readonly label: string;
  readonly look?: { readonly color: string; readonly mark: ReturnType<typeof seriesAt>['mark'] };
  /** What a step is on the axis. Default: the step. */
  readonly x?: (step: number) => number;
  readonly from?: number;
}

/** A quantity along training: measured at kept steps, on the exact curve. */
function curve(runs: readonly Probed[], kind: Kind, name: QuantityName, options: CurveOptions): ChartSeries {
  const { label, look, x = (step) => step, from = 1 } = options;
  const { settings } = runs[0]!.model.plan;
  const last = runs[0]!.model.run.steps;
  const { probed, exact } = quantities[name];
  const measured = along(runs, kind, probed).filter(({ step }) => step >= from);
  return {
    label,
    measured: measured.map(({ step, mean, standardError }) => ({ x: x(step), y: mean, standardError })),
    theory: exactStates(settings, kind, stepGrid(last))
      .filter(({ step }) => step >= from)
      .map((state) => ({ x: x(state.step), y: exact(state) })),
    ...(look ?? {}),
  };
}

/** The measured numbers of some series, as they stand under a figure. */
function seriesTable(x: string, y: string, series: readonly ChartSeries[]): ReportTable {
  return {
    columns: ['series', x, y, 'std. error'],
    rows: series.flatMap(({ label, measured = [] }) =>
      measured.map((point): (string | number)[] => [label, point.x, point.y, point.standardError]),
    ),
  };
}

const subtitle = (settings: Settings): string => {
  const { K } = featureSettings(settings);
  const law = settings['p1'] === 'balanced' ? 'balanced' : `p₁ = ${settings['p1']}`;
  return `K = ${K}, N = ${lengthOf(settings)}, ${law}, η = ${etaOf(settings)}`;
};

function lossFigure({ main, balanced }: Findings): FigurePlan {
  const panelOf = (runs: readonly Probed[]): ChartPanel => {
    const { settings } = runs[0]!.model.plan;
    const last = runs[0]!.model.run.steps;
    const series = queryKinds(settings).map((kind): ChartSeries => {
      const eta = etaOf(settings);
      const guide = (step: number) => tailLoss(probabilityOf(settings, kind), eta, step);
      const all = curve(runs, kind, 'loss', { label: queryNames[kind], look: looks[kind] });
      const late = stepGrid(last).filter((step) => guide(step) < 0.25);
      return { ...all, reference: late.map((step) => ({ x: step, y: guide(step) })) };
    });
    return {
      title: subtitle(settings),
      x: { label: 'steps t', type: 'log' },
      y: { label: 'loss of a query, L_k', type: 'log', high: 1 },
      series,
    };
  };
  const panels = [main, ...(balanced === null ? [] : [[balanced]])].map(panelOf);
  return {
    name: 'loss',
    caption:
      'Loss of one query on fresh prompts, exact for the trained parameters at that step (points; rare queries: mean over all of ' +
      'them, bars of two standard errors), on exact descent of the population loss at the same N and η (lines). The dominant ' +
      'query is solved within some dozens of steps. The loss of the rare queries stands nearly still, then falls at once; both ' +
      'end on the late law 1/(4 p_k η t) (dashed).',
    draw: (context) =>
      drawLineChart(context, {
        description: 'Loss per query against training steps on logarithmic axes; points lie on the exact curves.',
        panels,
        words: { measured: 'trained', theory: 'exact descent', reference: '1/(4 p_k η t)' },
        height: 290,
      }),
    table: seriesTable(
      'step',
      'loss',
      panels.flatMap(({ series }) => series),
    ),
  };
}

function attentionFigure({ main }: Findings): FigurePlan {
  const { settings } = main[0]!.model.plan;
  const last = main[0]!.model.run.steps;
  const isRare = queryKinds(settings).at(-1) === 'rare';
  const kind = isRare ? 'rare' : 'balanced';
  const series = [
    curve(main, kind, 'ownAttention', { label: 'on its own feature', look: seriesAt(0), from: 0 }),
    ...(isRare
      ? [
          curve(main, 'rare', 'dominantAttention', { label: 'on the dominant', look: seriesAt(3), from: 0 }),
          curve(main, 'dominant', 'ownAttention', { label: 'dominant query', look: seriesAt(1), from: 0 }),
        ]
      : []),
  ];
  const window = Math.min(last, 1.7 * (eventsAt(settings, last).targetGrown?.step ?? last));
  const visible = series.map((each) => ({
    ...each,
    measured: each.measured!.filter(({ x }) => x <= window),
    theory: each.theory!.filter(({ x }) => x <= window),
  }));
  return {
    name: 'attention',
    caption:
      'Attention that a rare query pays to the pairs of its own feature and of the dominant one, and the dominant query to its ' +
      'own: trained (points) on exact descent (lines). Phase I: the dominant feature loses attention, until α_k > |β_{k,1}|. ' +
      'II: the leading influence has switched, until A_k − B_{k,1} > 1.01 log K. III: the target’s logit grows, until ' +
      'A_k > log K. IV: convergence.',
    draw: (context) =>
      drawLineChart(context, {
        description: 'Attention against training steps, with the four phases shaded.',
        panels: [
          {
            x: { label: 'steps t', type: 'linear', low: 0, high: window },
            y: { label: 'attention', type: 'linear', low: 0, high: 1 },
            series: visible,
            ranges: phaseRanges(settings, window).filter(({ from }) => from < window),
          },
        ],
        words: { measured: 'trained', theory: 'exact descent' },
      }),
    table: seriesTable('step', 'attention', series),
  };
}

function weightsFigure({ main }: Findings): FigurePlan {
  const { settings } = main[0]!.model.plan;
  const last = main[0]!.model.run.steps;
  const logK = Math.log(featureSettings(settings).K);
  const isRare = queryKinds(settings).at(-1) === 'rare';
  const series = isRare
    ? [
        curve(main, 'dominant', 'target', { label: 'A₁', look: seriesAt(1) }),
        curve(main, 'rare', 'target', { label: 'A_k, rare', look: seriesAt(0) }),
        curve(main, 'rare', 'other', { label: 'B_{k,n}', look: seriesAt(2) }),
        curve(main, 'rare', 'dominant', { label: 'B_{k,1}', look: seriesAt(3) }),
      ]
    : [
        curve(main, 'balanced', 'target', { label: 'A_k', look: seriesAt(0) }),
        curve(main, 'balanced', 'other', { label: 'B_{k,n}', look: seriesAt(2) }),
      ];
  return {
    name: 'weights',
    caption:
      'A_k = v_kᵀQv_k and B_{k,n} = v_nᵀQv_k along training. What makes the rare query’s loss fall is first the decrease of B_{k,1}, ' +
      'which stops near −0.49 log K and a little below, then the growth of A_k past log K. The other B stay small throughout.',
    draw: (context) =>
      drawLineChart(context, {
        description: 'Bilinear attention weights against training steps, with the thresholds log K and −0.49 log K.',
        panels: [
          {
            x: { label: 'steps t', type: 'log' },
            y: { label: 'logit', type: 'linear' },
            series,
            guides: [
              { axis: 'y', at: logK, label: 'log K', style: 'dot' },
              ...(isRare ? [{ axis: 'y', at: -0.49 * logK, label: '−0.49 log K', style: 'dot' } as const] : []),
            ],
            ranges: phaseRanges(settings, last).map((range, i) => ({ ...range, from: i === 0 ? 1 : range.from })),
          },
        ],
        words: { measured: 'trained', theory: 'exact descent' },
      }),
    table: seriesTable('step', 'logit', series),
  };
}

function influenceFigure({ main }: Findings): FigurePlan {
  const panels = influencePanels(main);
  return {
    name: 'influence',
    caption:
      'The two forces on a rare query: α_k, which raises A_k, and |β_{k,1}|, which lowers B_{k,1}. At first the second is larger by the ' +
      'factor p₁²K/(1 + p₁²), that is K/5 at p₁ = .5; where they cross the leading influence switches. Left trained, beside it the mean field at ' +
      'more features, where |β_{k,1}| falls far below.',
    draw: (context) =>
      drawLineChart(context, {
        description: 'alpha and |beta| against training steps on logarithmic axes: they cross once.',
        panels,
        words: { measured: 'trained', theory: 'exact descent' },
        columns: 3,
        height: 230,
      }),
    table: seriesTable('step', 'force', panels[0]!.series),
  };
}

function heatMapFigure({ main }: Findings): FigurePlan {
  const { model, probes } = main[0]!;
  const { settings } = model.plan;
  const isRare = queryKinds(settings).at(-1) === 'rare';
  const events = eventsAt(settings, model.run.steps);
  const ends = isRare
    ? [events.leadingInfluenceSwitches, events.logitsSeparate, events.targetGrown]
    : [events.targetLeads, events.targetGrown];
  const steps = [...ends.flatMap((event) => (event === undefined ? [] : [event.step])), model.run.steps];
  const names = isRare
    ? ['end of phase I', 'end of phase II', 'end of phase III', 'end of training']
    : ['Attn_k = ½', 'A_k = log K', 'end of training'];
  const shown = steps.map((step, i) => ({ probe: probes.find((probe) => probe.step === step)!, name: names[i]! }));
  const K = featureSettings(settings).K;
  const logits = shown.map(({ probe, name }) => ({ title: name, subtitle: `t = ${probe.step}`, matrix: probe.logits }));
  const attention = shown.map(({ probe }) => ({
    title: 'attention',
    subtitle: 'white 0, dark 1',
    scale: 'sequential' as const,
    largest: 1,
    matrix: Array.from({ length: K }, (_, n) => probe.queries.map((query) => query.attention[n]!)),
  }));
  const largest = Math.max(...logits.flatMap(({ matrix }) => matrix.flat().map(Math.abs)));
  return {
    name: 'heat-maps',
    caption:
      'Above VᵀQV after training up to the ends of the phases (one run): column k holds the logits of query v_k, blue below 0. ' +
      'Below, the attention that each query (column) pays to each feature (row), from 0 to 1. The dominant feature’s row ' +
      'empties first; then the diagonal fills.',
    draw: (context) =>
      drawHeatMaps(context, {
        maps: [...logits.map((map) => ({ ...map, largest })), ...attention],
        scale: 'diverging',
        isShared: true,
        valueName: 'logit',
        rowName: 'key feature',
        columnName: 'query feature',
        columns: shown.length,
        narrowColumns: 2,
        description:
          'Heat maps of the logits of all pairs of features and of the attention, at the ends of the phases.',
      }),
    table: {
      columns: ['step', 'query', 'A_k', 'B_{k,1}', 'Attn_k', 'Attn_1', 'L_k'],
      rows: shown.flatMap(({ probe }) =>
        probe.queries.map(({ attention: shares, loss }, k) => [
          probe.step,
          k + 1,
          probe.logits[k]![k]!,
          probe.logits[0]![k]!,
          shares[k]!,
          shares[0]!,
          loss,
        ]),
      ),
    },
  };
}

function etaFigure({ main, faster }: Findings): FigurePlan {
  const { settings } = main[0]!.model.plan;
  const kind = queryKinds(settings).at(-1)!;
  const runs = [main, [faster!]];
  const scaled = (name: QuantityName) =>
    runs.map((some, i) => {
      const eta = etaOf(some[0]!.model.plan.settings);
      return curve(some, kind, name, { label: `η = ${eta}`, look: seriesAt(i), x: (step) => eta * step });
    });
  const panel = (title: string, name: QuantityName): ChartPanel => ({
    title,
    x: { label: 'η t', type: 'linear' },
    y: { label: 'logit', type: 'linear' },
    series: scaled(name),
  });
  const panels = [panel('A_k', 'target'), ...(kind === 'rare' ? [panel('B_{k,1}', 'dominant')] : [])];
  return {
    name: 'eta',
    caption:
      `The same model trained at η = ${etaOf(settings)} and at four times the rate, against ηt: the curves are one, since steps are small ` +
      'beside 1/p_k. Points are trained, lines exact descent at either rate.',
    draw: (context) =>
      drawLineChart(context, {
        description: 'Bilinear weights against eta t for two learning rates: the curves coincide.',
        panels,
        words: { measured: 'trained', theory: 'exact descent' },
        height: 240,
      }),
    table: seriesTable(
      'η t',
      'logit',
      panels.flatMap(({ series }) => series),
    ),
  };
}

/** The figures that the findings have data for. */
export function figurePlans(findings: Findings): FigurePlan[] {
  const { main, faster, times, orders } = findings;
  return [
    ...(main.length > 0
      ? [
          lossFigure(findings),
          attentionFigure(findings),
          weightsFigure(findings),
          ...(queryKinds(findings.settings).at(-1) === 'rare' ? [influenceFigure(findings)] : []),
          heatMapFigure(findings),
        ]
      : []),
    ...(times.length > 0 ? [timeFigure(findings)] : []),
    ...(faster !== null && main.length > 0 ? [etaFigure(findings)] : []),
    ...(orders.length > 0 ? [orderFigure(findings)] : []),
    ...measuredFigures(findings),
  ];
}
