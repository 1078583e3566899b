/** Figures 5 and 6: softmax networks trained on a fixed set of contexts, against their number and that of their tasks. */
import { shiftNamed } from '../../models/shifts/index.ts';
import { asymptoticRisk } from '../../models/theory/lu2024.ts';
import { boundClaim } from '../claims.ts';
import { linearGrid } from '../figures/grids.ts';
import { type ChartPanel, type ChartSeries, drawLineChart } from '../figures/line-chart.ts';
import type { MeasuredPoint } from '../figures/marks.ts';
import { color, seriesAt } from '../figures/theme.ts';
import type { FigurePlan, ModelPlan, RunRow, TrainedModel, Workshop } from '../reproduce.ts';
import { numberOf } from '../settings.ts';
import type { Claim, Settings } from '../study.ts';
import { drawGrid, type GridResult } from './grid.ts';
import { kappaOf } from './law.ts';
import { networks } from './networks.ts';

export interface NetworkSize {
  /** Names of the networks of Figure 5. */
  readonly networks: readonly string[];
  readonly dimensions: readonly number[];
  readonly taus: readonly number[];
  /** Tasks k of Figure 6. */
  readonly tasks: readonly number[];
  /** tau of Figure 6. */
  readonly gapTau: number;
  readonly steps: number;
  readonly learningRate: number;
  readonly prompts: number;
}

/** Hundreds of times fewer steps than the paper's, at a rate that is tens of times higher. */
export const quickNetworks: NetworkSize = {
  networks: ['linear', 'softmax1', 'softmax2'],
  dimensions: [10],
  taus: [0.5, 1, 2, 4, 8],
  tasks: [1, 3, 10, 40],
  gapTau: 6,
  steps: 1500,
  learningRate: 3e-3,
  prompts: 20_000,
};

/** The paper's sizes, one run for each point where the paper has five to ten. */
export const fullNetworks: NetworkSize = {
  networks: networks.map(({ name }) => name),
  dimensions: [20, 40, 80],
  taus: [0.5, 0.8, 0.95, 1.05, 1.2, 1.5, 2, 3, 5, 11],
  tasks: [2, 8, 14, 20, 35, 60, 123],
  gapTau: 10,
  steps: 100_000,
  learningRate: 1e-4,
  prompts: 200_000,
};

/** Of Figure 6. */
const GAP_NETWORK = 'softmax2';

const labelOf = (name: string) => networks.find((network) => network.name === name)!.label;

export interface TrainedNetwork {
  readonly settings: Settings;
  readonly model: TrainedModel;
  readonly icl: RunRow;
  /** Absent where every context has a task of its own. */
  readonly idg: RunRow | undefined;
}

export interface NetworkFindings {
  readonly peaks: readonly TrainedNetwork[];
  readonly gaps: readonly TrainedNetwork[];
  /** Bayes with the bank, at the same points as `gaps`. */
  readonly bayes: readonly GridResult[];
}

function planOf(name: string, label: string, settings: Settings, seed: number, size: NetworkSize): ModelPlan {
  const { steps, learningRate } = size;
  const optimizer = {
    name: 'adamw',
    learningRate,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 1e-4,
  } as const;
  const overrides = { steps, optimizer, logEvery: Math.ceil(steps / 100), checkpointEvery: steps };
  return { name, label, settings, seed, overrides, verification: { batches: [1, 7] } };
}

/** How many models and measurements there will be, for the progress. */
export const networkStages = ({ networks: names, dimensions, taus, tasks }: NetworkSize): number =>
  2 * dimensions.length * (names.length * taus.length + tasks.length) + 1;

export async function trainNetworks(
  workshop: Workshop,
  base: Settings,
  seed: number,
  size: NetworkSize,
): Promise<NetworkFindings> {
  const own = { ...base, alpha: 1, rho: 0.01, lambda: 0, design: 'uniform' };
  const peakPlans = size.dimensions.flatMap((d) =>
    size.networks.flatMap((model) =>
      size.taus.map((tau) => {
        const label = `${labelOf(model)}, d = ${d}, τ = ${tau}`;
        return planOf(`${model}-d${d}-tau${tau}`, label, { ...own, model, d, tau, kappa: 'inf' }, seed, size);
      }),
    ),
  );
  const gapPlans = size.dimensions.flatMap((d) =>
    size.tasks.map((k) => {
      const settings = { ...own, model: GAP_NETWORK, d, tau: size.gapTau, kappa: k / d };
      return planOf(`${GAP_NETWORK}-d${d}-k${k}`, `${labelOf(GAP_NETWORK)}, d = ${d}, k = ${k}`, settings, seed, size);
    }),
  );
  const measure = async (model: TrainedModel, levels: readonly number[]): Promise<TrainedNetwork> => {
    const shifts = [{ shift: shiftNamed('fresh-tasks'), levels }];
    const lengths = [model.run.config.contextLength];
    const rows = await workshop.measure(model, { lengths, shifts, prompts: size.prompts });
    const at = (level: number) => rows.find((row) => row.level === level && row.estimator === 'model');
    return { settings: model.plan.settings, model, icl: at(1)!, idg: at(0) };
  };
  const trained = await workshop.train([...peakPlans, ...gapPlans]);
  const peaks: TrainedNetwork[] = [];
  const gaps: TrainedNetwork[] = [];
  for (const [i, model] of trained.entries()) {
    if (i < peakPlans.length) peaks.push(await measure(model, [1]));
    else gaps.push(await measure(model, [0, 1]));
  }
  const bayes = await workshop.work('Bayes with the banks', () =>
    drawGrid(
      gaps.map(({ settings }) => {
        const phase = { tau: size.gapTau, alpha: 1, kappa: kappaOf(settings), rho: 0.01, lambda: 0 };
        return { kind: 'dmmse' as const, phase, d: numberOf(settings, 'd'), draws: 4, prompts: 200 };
      }),
      { seed: seed * 16 + 15, design: 'uniform' },
    ),
  );
  return { peaks, gaps, bayes };
}

const gapOf = ({ icl, idg }: TrainedNetwork): { y: number; standardError: number } => ({
  y: icl.risk - idg!.risk,
  standardError: Math.hypot(icl.standardError, idg!.standardError),
});

export function networksFigure({ peaks, gaps, bayes }: NetworkFindings): FigurePlan {
  const dimensions = [...new Set(peaks.map(({ settings }) => numberOf(settings, 'd')))];
  const names = [...new Set(peaks.map(({ settings }) => String(settings['model'])))];
  const taus = peaks.map(({ settings }) => numberOf(settings, 'tau'));
  const grid = linearGrid(0.1, Math.max(...taus) * 1.05, 300);
  const linear = { alpha: 1, kappa: Number.POSITIVE_INFINITY, rho: 0.01, lambda: 1e-5 };
  const theory: ChartSeries = {
    label: 'reduced linear attention',
    reference: grid.map((tau) => ({ x: tau, y: asymptoticRisk({ ...linear, tau }).iclRisk })),
    color: color.muted,
    style: 'dash',
  };
  const peakPanel = (name: string): ChartPanel => ({
    title: labelOf(name),
    x: { label: 'contexts τ = n/d²', type: 'linear', low: 0 },
    y: { label: 'error on fresh tasks', type: 'log', high: 12 },
    guides: [{ axis: 'y', at: 1.01, style: 'dot' }],
    series: [
      ...dimensions.map((d, i): ChartSeries => {
        const measured = peaks
          .filter(({ settings }) => settings['model'] === name && settings['d'] === d)
          .map(({ settings, icl }): MeasuredPoint => {
            return { x: numberOf(settings, 'tau'), y: icl.risk, standardError: icl.standardError };
          });
        return { label: `d = ${d}`, measured, trace: measured, ...seriesAt(i) };
      }),
      theory,
    ],
  });
  const gapPanel: ChartPanel = {
    title: `${labelOf(GAP_NETWORK)}: task gap`,
    x: { label: 'task diversity κ = k/d', type: 'log' },
    y: { label: 'task gap', type: 'linear', low: 0 },
    guides: [{ axis: 'x', at: 1, label: 'κ = 1' }],
    series: dimensions.flatMap((d, i): ChartSeries[] => {
      const own = gaps.filter(({ settings }) => settings['d'] === d);
      const measured = own.map((each) => ({ x: kappaOf(each.settings), ...gapOf(each) }));
      const posterior = bayes
        .filter(({ point }) => point.d === d)
        .map(({ phase, gap }) => ({ x: phase.kappa, y: gap.mean }));
      return [
        { label: `d = ${d}`, measured, trace: measured, ...seriesAt(i) },
        { label: 'Bayes with the bank', trace: posterior, style: 'dot', color: color.muted },
      ];
    }),
  };
  const { steps, optimizer } = peaks[0]!.model.run.config;
  return {
    name: 'networks',
    caption:
      `Networks trained for ${steps} steps of AdamW (rate ${optimizer.learningRate}) on n = τd² contexts that are seen again and again, α = 1, ρ = 0.01. ` +
      'First panels: error on fresh tasks against the number of contexts, every context with a task of its own. As in the reduced model ' +
      'too few contexts are learned by heart, to errors above that of predicting 0 (dotted), and the more a network can express the more contexts it takes. ' +
      `Last panel: fresh less pretraining tasks against the number of these, τ = ${numberOf(gaps[0]!.settings, 'tau')}: the gap closes as in Figure 4. ` +
      'Points are measured by ONNX Runtime on the frozen networks.',
    draw: (context) =>
      drawLineChart(context, {
        description: 'Errors of networks against the number of contexts, and their task gap against task diversity.',
        panels: [...names.map(peakPanel), gapPanel],
        words: { reference: 'its limit of large d' },
        height: 200,
      }),
    table: {
      columns: [
        'network',
        'd',
        'τ',
        'κ',
        'training error',
        'fresh tasks',
        'std. error',
        'pretraining tasks',
        'std. error',
      ],
      rows: [...peaks, ...gaps].map(({ settings, model, icl, idg }) => [
        labelOf(String(settings['model'])),
        numberOf(settings, 'd'),
        numberOf(settings, 'tau'),
        String(settings['kappa']),
        2 * model.run.loss,
        icl.risk,
        icl.standardError,
        idg?.risk ?? null,
        idg?.standardError ?? null,
      ]),
    },
  };
}

export function networkClaims({ peaks, gaps, bayes }: NetworkFindings): Claim[] {
  const zero = 1.01;
  const byHeart = peaks.reduce((a, b) => (b.icl.risk > a.icl.risk ? b : a));
  const byKappa = [...gaps].sort((a, b) => kappaOf(a.settings) - kappaOf(b.settings));
  const [few, many] = [byKappa[0]!, byKappa.at(-1)!];
  const gapOfBayes = (like: TrainedNetwork) =>
    bayes.find(({ point }) => point.d === like.settings['d'] && point.phase.kappa === kappaOf(like.settings))!.gap.mean;
  const ratio = gapOf(many).y / gapOf(few).y;
  return [
    boundClaim(`networks: predicting 0 over the largest error on fresh tasks, ${byHeart.model.plan.label}`, {
      measured: zero / byHeart.icl.risk,
      limit: 0.8,
      shown: '0.8: contexts are learned by heart',
    }),
    boundClaim(
      `networks: gap at κ = ${kappaOf(many.settings)} over gap at κ = ${kappaOf(few.settings)}, ${labelOf(GAP_NETWORK)}, in units of this ratio for Bayes with the bank`,
      { measured: ratio / (gapOfBayes(many) / gapOfBayes(few)), limit: 0.8, shown: '0.8: more than memory' },
    ),
  ];
}
