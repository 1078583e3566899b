/**
 * How the cost of a training step grows with batch, context, dimension and depth: times at doubled sizes and the exponent of
 * the power law through them. What is inherent: products of `dimension` x `dimension` matrices, and attention's T x T scores.
 *
 * In a round all sizes take a few steps one after the other, forwards and backwards in turn; a doubling costs the median over the
 * rounds of the ratio of two neighbours. So what disturbs a round, or makes the machine slow for a while, changes a time but hardly
 * a ratio.
 */
import type { TrainingConfig } from '../train/config.ts';
import type { Contestant, LoneBenchmark, Result } from './benchmark.ts';
import { median, round } from './benchmark.ts';
import { configOf, type TrainingWork, trainingWorks } from './train-benchmarks.ts';
import { openTrainingInTurns, type Turns } from './training-in-turns.ts';

type Axis = 'batch' | 'context' | 'dimension' | 'layers';

export interface Doubling {
  /** Median over the rounds of the ratio of a size's time to that of half the size in the same round. */
  readonly median: number;
  /** The ratio in the round where it is least, and where it is greatest. */
  readonly least: number;
  readonly greatest: number;
}

export interface GrowthCurve {
  readonly work: string;
  readonly axis: Axis;
  readonly sizes: readonly number[];
  /** Median milliseconds per step at each size. */
  readonly milliseconds: readonly number[];
  /** What each doubling costs. */
  readonly doublings: readonly Doubling[];
  /** The median of the dearest of them. */
  readonly doubling: number;
  /** Slope of log time over log size. */
  readonly exponent: number;
  /** What a doubling may cost. */
  readonly bound: number;
}

const axes: Readonly<Record<keyof typeof trainingWorks, readonly Axis[]>> = {
  'lsa-train': ['batch', 'context', 'dimension'],
  'multilayer-train': ['batch', 'context', 'dimension', 'layers'],
  'transformer-train': ['batch', 'context', 'layers'],
};

/** Times of a size before it is doubled, twice. */
const factors = [1, 2, 4];
const rounds = 25;

/** Turns at every size alike: what counts of one takes some 0.1 s at the least size. */
const turnsOf: Readonly<Record<keyof typeof trainingWorks, Omit<Turns, 'count'>>> = {
  'lsa-train': { steps: 80, start: 20 },
  'multilayer-train': { steps: 50, start: 15 },
  'transformer-train': { steps: 5, start: 2 },
};

function sizedWork(base: TrainingWork, axis: Axis, factor: number): TrainingWork {
  if (axis !== 'layers') return { ...base, [axis]: base[axis] * factor };
  return { ...base, options: { ...base.options, layers: (base.options?.['layers'] ?? 1) * factor } };
}

/**
 * Nothing is to be learned here, and nothing may be taken for divergence: from the usual start a deep model gives some prompts
 * enormous answers. It starts close to 0 instead, and stays there.
 */
function timedConfig(work: TrainingWork): TrainingConfig {
  const config = configOf(work);
  return {
    ...config,
    initialisation: { scheme: 'generic', options: { scale: 1e-3 } },
    optimizer: { ...config.optimizer, learningRate: 1e-9 },
  };
}

const sizeAlong = (work: TrainingWork, axis: Axis): number =>
  axis === 'layers' ? work.options!['layers']! : work[axis];

/** Slope of the least squares line through (log x, log y). */
export function fittedExponent(x: readonly number[], y: readonly number[]): number {
  const [u, v] = [x.map(Math.log), y.map(Math.log)];
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [centreU, centreV] = [mean(u), mean(v)];
  const products = u.reduce((sum, value, i) => sum + (value - centreU) * (v[i]! - centreV), 0);
  return products / u.reduce((sum, value) => sum + (value - centreU) ** 2, 0);
}

/** What the doublings cost, by the times of each size, round by round. */
export function doublingsOf(times: readonly (readonly number[])[]): Doubling[] {
  return times.slice(1).map((values, i) => {
    const ratios = values.map((time, at) => time / times[i]![at]!);
    return {
      median: round(median(ratios)),
      least: round(Math.min(...ratios)),
      greatest: round(Math.max(...ratios)),
    };
  });
}

export const dearestOf = (doublings: readonly Doubling[]): Doubling =>
  doublings.reduce((dearest, next) => (next.median > dearest.median ? next : dearest));

async function measureCurve(name: keyof typeof trainingWorks, axis: Axis, isTiny: boolean): Promise<GrowthCurve> {
  const whole: TrainingWork = trainingWorks[name];
  const base = isTiny ? { ...whole, batch: 2, context: 3, dimension: 2 } : whole;
  const works = factors.map((factor) => sizedWork(base, axis, factor));
  const turns: Turns = { ...turnsOf[name], count: 1 + rounds };
  const contestants: Contestant[] = [];
  const times = works.map((): number[] => []);
  try {
    for (const work of works) contestants.push(await openTrainingInTurns(timedConfig(work), turns));
    for (const contestant of contestants) await contestant.round(); // What is new is slow.
    for (let i = 0; i < (isTiny ? 1 : rounds); i++) {
      const order = [...contestants.entries()];
      for (const [size, contestant] of i % 2 === 0 ? order : order.reverse())
        times[size]!.push(await contestant.round());
    }
  } finally {
    for (const contestant of contestants) await contestant.close();
  }
  const sizes = works.map((work) => sizeAlong(work, axis));
  const milliseconds = times.map((values) => round(median(values)));
  const doublings = doublingsOf(times);
  return {
    work: name,
    axis,
    sizes,
    milliseconds,
    doublings,
    doubling: dearestOf(doublings).median,
    exponent: round(fittedExponent(sizes, milliseconds)),
    bound: axis === 'dimension' && name === 'multilayer-train' ? 4.4 : 2.2,
  };
}

export const growthBenchmark: LoneBenchmark = {
  name: 'growth',
  description: 'what doubling batch, context, dimension or depth costs a training step',
  async measure({ isTiny }): Promise<Result> {
    const curves: GrowthCurve[] = [];
    for (const [name, along] of Object.entries(axes) as [keyof typeof trainingWorks, readonly Axis[]][]) {
      for (const axis of isTiny ? along.slice(0, 1) : along) curves.push(await measureCurve(name, axis, isTiny));
    }
    return {
      name: 'growth',
      ours: Math.max(...curves.map(({ doubling }) => doubling)),
      peer: null,
      ratio: null,
      unit: 'times, the dearest doubling',
      settings: { curves, rounds },
    };
  },
};
