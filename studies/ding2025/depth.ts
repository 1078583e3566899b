/**
 * Figure 3: accuracy against depth for 2, 3 and 4 states, 10 chains of length 6 in the context. Two ways of training: on 100
 * prompts over and over, which the paper's numbers look like, and on fresh prompts; two ways of counting: on the training
 * prompts and on fresh ones. Nothing is right on fresh prompts more often than the likeliest state of the known kernel.
 */
import { knownKernelCeiling } from '../../models/theory/ding2025.ts';
import { boundClaim, statisticalClaim } from '../claims.ts';
import { drawLineChart } from '../figures/line-chart.ts';
import type { ModelPlan, RunRow } from '../reproduce.ts';
import type { Claim } from '../study.ts';
import {
  aboveClaim,
  accuracyOf,
  adam,
  type Bench,
  baseSettings,
  type Experiment,
  meanScore,
  plan,
  point,
  type Score,
  tableOf,
} from './experiment.ts';

const [d, n] = [5, 10];
const LAYERS = [1, 2, 3];
/** What the paper's figure seems to have been made with. */
const TRAINING_PROMPTS = 100;

type Way = 'sample' | 'fresh';

function planFor(bench: Bench, way: Way, S: number, L: number, seed: number): ModelPlan {
  const { steps, freshSteps } = bench.size.depth;
  const training =
    way === 'sample'
      ? { trainingPrompts: TRAINING_PROMPTS, batch: TRAINING_PROMPTS, steps, optimizer: adam(0.01) }
      : { batch: 256, steps: freshSteps, optimizer: adam(0.005) };
  return plan(bench, {
    name: `depth-${way}-S${S}-L${L}-seed${seed}`,
    label: `S = ${S}, L = ${L}, ${way === 'sample' ? `${TRAINING_PROMPTS} prompts` : 'fresh prompts'}, seed ${seed}`,
    settings: { ...baseSettings, d, n, S, L },
    seed,
    overrides: {
      ...training,
      initialisation: { scheme: 'generic', options: { scale: 0.05 } },
      schedule: { name: 'constant' },
    },
  });
}

interface Point {
  readonly S: number;
  readonly L: number;
  readonly inSample: Score;
  /** Of the models trained on few prompts. */
  readonly outOfSample: Score;
  /** Of the models trained on fresh prompts. */
  readonly fresh: Score;
}

export const depth: Experiment = {
  name: 'depth',
  stages: ({ depth: { states }, seeds }) => states.length * LAYERS.length * seeds * 5,
  async run(bench) {
    const { workshop, seed, size } = bench;
    const { states } = size.depth;
    const seeds = Array.from({ length: size.seeds }, (_, i) => seed + i);
    const cases = states.flatMap((S) => LAYERS.flatMap((L) => seeds.map((one) => ({ S, L, one }))));
    const plansOf = (way: Way) => cases.map(({ S, L, one }) => planFor(bench, way, S, L, one));
    const sampleModels = await workshop.train(plansOf('sample'));
    const freshModels = await workshop.train(plansOf('fresh'));
    const rows: RunRow[] = [];
    const estimators = ['known-kernel-mode', 'pooled-counts'];
    for (const model of sampleModels) {
      rows.push(...(await workshop.measure(model, { lengths: [n], prompts: TRAINING_PROMPTS, stream: 'training' })));
      rows.push(...(await workshop.measure(model, { lengths: [n], prompts: size.prompts })));
    }
    for (const model of freshModels) {
      rows.push(...(await workshop.measure(model, { lengths: [n], prompts: size.prompts, estimators })));
    }
    const name = (way: Way, S: number, L: number, one: number) => `depth-${way}-S${S}-L${L}-seed${one}`;
    const over = (score: (one: number) => Score) => meanScore(seeds.map(score));
    const points: Point[] = states.flatMap((S) =>
      LAYERS.map((L) => ({
        S,
        L,
        inSample: over((one) => accuracyOf(rows, name('sample', S, L, one), { isInSample: true })),
        outOfSample: over((one) => accuracyOf(rows, name('sample', S, L, one), {})),
        fresh: over((one) => accuracyOf(rows, name('fresh', S, L, one), {})),
      })),
    );
    const ofEstimator = (S: number, estimator: string) =>
      accuracyOf(rows, name('fresh', S, LAYERS[0]!, seed), { estimator });
    const ceilings = new Map(states.map((S) => [S, ofEstimator(S, 'known-kernel-mode')]));
    const of = (S: number) => points.filter((each) => each.S === S);
    return {
      models: [...sampleModels, ...freshModels],
      claims: claimsOf(points, ceilings),
      figure: {
        name: 'depth',
        caption:
          `Accuracy of the rounded prediction against the number of layers, d = ${d}, n = ${n}, uniform kernels; mean over ${seeds.length} ` +
          `seed${seeds.length === 1 ? '' : 's'}. Trained on ${TRAINING_PROMPTS} prompts over and over, deep models learn these prompts by heart: in ` +
          'sample the accuracy rises as in the paper’s Figure 3, on fresh prompts it does not. The dashed line is the likeliest next ' +
          'state under the true kernel, which nothing passes on fresh prompts; the printed values above it can only be in sample.',
        draw: (context) =>
          drawLineChart(context, {
            description: states
              .map((S) => {
                const [first, last] = [of(S)[0]!, of(S).at(-1)!];
                const shown = (score: Score) => score.mean.toFixed(2);
                return `${S} states: in sample ${shown(first.inSample)} to ${shown(last.inSample)}, fresh ${shown(first.fresh)} to ${shown(last.fresh)}, known kernel ${shown(ceilings.get(S)!)}.`;
              })
              .join(' '),
            words: {},
            columns: states.length,
            height: 220,
            panels: states.map((S, i) => ({
              title: `${S} states`,
              x: { label: 'layers L', type: 'linear' as const, low: 0.8, high: 3.2, ticks: LAYERS },
              y: { label: i === 0 ? 'accuracy' : '', type: 'linear' as const, low: 0.25, high: 1.02 },
              series: [
                series(`in sample (${TRAINING_PROMPTS} prompts)`, of(S), ({ inSample }) => inSample),
                series('the same models, fresh prompts', of(S), ({ outOfSample }) => outOfSample),
                series('trained on fresh prompts', of(S), ({ fresh }) => fresh),
              ],
              guides: [{ axis: 'y' as const, at: ceilings.get(S)!.mean, label: 'kernel' }],
            })),
          }),
        table: tableOf(
          [
            'states',
            'layers',
            'in sample',
            's.e.',
            'same, fresh',
            's.e.',
            'trained fresh',
            's.e.',
            'known kernel',
            'counting',
            'flag',
          ],
          points.map(({ S, L, inSample, outOfSample, fresh }) => [
            S,
            L,
            ...[inSample, outOfSample, fresh].flatMap(({ mean, standardError }) => [mean, standardError]),
            ceilings.get(S)!.mean,
            ofEstimator(S, 'pooled-counts').mean,
            Math.max(outOfSample.mean, fresh.mean) > ceilings.get(S)!.mean ? 'above the ceiling' : '',
          ]),
        ),
      },
    };
  },
};

function series(label: string, points: readonly Point[], score: (point: Point) => Score) {
  const measured = points.map((each) => point(each.L, score(each)));
  return { label, measured, trace: measured };
}

function claimsOf(points: readonly Point[], ceilings: ReadonlyMap<number, Score>): Claim[] {
  const at = (S: number, L: number) => points.find((each) => each.S === S && each.L === L)!;
  const excess = points.map(
    ({ S, outOfSample, fresh }) => Math.max(outOfSample.mean, fresh.mean) - ceilings.get(S)!.mean,
  );
  const worst = points[excess.indexOf(Math.max(...excess))]!;
  const claims: Claim[] = [
    ceilingClaim(`S = ${worst.S}, L = ${worst.L}`, Math.max(...excess), points.length),
    ...[...ceilings.keys()].map((S) =>
      aboveClaim(`in sample, accuracy of three layers minus that of one, S = ${S}: depth helps`, {
        mean: at(S, 3).inSample.mean - at(S, 1).inSample.mean,
        limit: 0,
      }),
    ),
  ];
  const binary = ceilings.get(2);
  if (binary === undefined) return claims;
  const exact = knownKernelCeiling({ d, p: 0.5 }).accuracy;
  const comparison = { label: 'S = 2', theory: exact, measured: binary.mean, standardError: binary.standardError };
  return [...claims, statisticalClaim('accuracy of the known kernel, S = 2', [comparison])];
}

/** On fresh prompts nothing may pass the known kernel: a flag says that something is wrong with a number, not that it is good. */
export function ceilingClaim(label: string, excess: number, points: number): Claim {
  const claim = boundClaim(`accuracy on fresh prompts minus that of the known kernel; worst of ${points}: ${label}`, {
    measured: excess,
    limit: 0,
    shown: 'the ceiling',
  });
  if (claim.holds) return claim;
  return {
    ...claim,
    explanation:
      'No predictor can be above the ceiling but by the chance of the prompts drawn: do not quote the number.',
  };
}
