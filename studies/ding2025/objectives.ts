/**
 * Figure 2: ten layers in the subspace of Theorem 4.1, trained on chains of length 6; the objectives R1 and R2 and the distance
 * to the Pareto front of R1 after each layer, on fresh contexts. The paper's "length 5" and its six objectives go together for
 * D = 5 covariates. Its front is unspecified; that of R1 is known exactly.
 */
import { allocateBatch, type LabelledBatch, type PromptBatch } from '../../models/prompts.ts';
import { createGenerator, streams } from '../../models/random.ts';
import { createSampler } from '../../models/tasks/index.ts';
import {
  type DescentLayer,
  descentLayer,
  descentPath,
  frontDistance,
  objectives1,
  objectives2,
  type PromptContext,
} from '../../models/theory/ding2025.ts';
import { boundClaim } from '../claims.ts';
import { drawLineChart } from '../figures/line-chart.ts';
import type { TrainedModel } from '../reproduce.ts';
import { numberOf } from '../settings.ts';
import { adam, baseSettings, type Experiment, plan, point, type Score, scoreOf, tableOf } from './experiment.ts';
import { layerFactors, taskOf } from './law.ts';

const [d, LAYERS] = [5, 10];

/** Prompt b of a batch. */
function contextOf({ context, dimension, covariates, responses }: PromptBatch, b: number): PromptContext {
  return {
    x: Array.from({ length: context }, (_, i) => {
      const at = (b * context + i) * dimension;
      return [...covariates.subarray(at, at + dimension)];
    }),
    y: [...responses.subarray(b * context, (b + 1) * context)],
  };
}

const layersOf = ({ run }: TrainedModel): DescentLayer[] =>
  Array.from({ length: LAYERS }, (_, l) => {
    const { b, A } = layerFactors(run.frozen.parameters, d, l);
    return descentLayer(b, A);
  });

/** What the theorem says that the model predicts: <w_L, x>, with the sign of descent. */
const theorem = (layers: readonly DescentLayer[]) => ({
  name: 'theorem-4.1',
  description: 'the linear function that the recursion of Theorem 4.1 ends with',
  parameters: {},
  needsTaskParameters: false,
  predict(prompts: PromptBatch | LabelledBatch, out: Float64Array) {
    for (let b = 0; b < prompts.batch; b++) {
      const w = descentPath(contextOf(prompts, b), layers).at(-1)!;
      for (let q = b * prompts.queries; q < (b + 1) * prompts.queries; q++) {
        out[q] = w.reduce((sum, value, i) => sum + value * prompts.query[q * d + i]!, 0);
      }
    }
  },
});

/** Means over prompts of vectors, entry by entry, with standard errors. */
function summarise(vectors: readonly (readonly number[])[]): Score[] {
  const count = vectors.length;
  return vectors[0]!.map((_, k) => {
    const mean = vectors.reduce((sum, vector) => sum + vector[k]!, 0) / count;
    const variance = vectors.reduce((sum, vector) => sum + (vector[k]! - mean) ** 2, 0) / (count - 1);
    return { mean, standardError: Math.sqrt(variance / count) };
  });
}

export const objectives: Experiment = {
  name: 'objectives',
  stages: () => 3,
  async run(bench) {
    const { workshop, seed, settings, size } = bench;
    const { steps, contextLength: n, prompts } = size.objectives;
    const own = { ...baseSettings, d, n, p: numberOf(settings, 'p'), L: LAYERS };
    const name = 'objectives';
    const [model] = await workshop.train([
      plan(bench, {
        name,
        label: `d = ${d}, L = ${LAYERS}`,
        settings: own,
        seed,
        overrides: {
          steps,
          batch: 128,
          optimizer: adam(0.003),
          initialisation: { scheme: 'generic', options: { scale: 0.05 } },
        },
      }),
    ]);
    const layers = layersOf(model!);
    const rows = await workshop.measure(model!, { lengths: [n], prompts: 500, estimators: [theorem(layers)] });
    const along = await workshop.work('objectives along the layers', async (report) => {
      const sampler = createSampler(taskOf(own));
      const batch = allocateBatch({ batch: prompts, context: n, queries: 1, ...sampler });
      sampler.fill(createGenerator(seed, streams.evaluation), 0, batch);
      const found: { R1: number[][]; R2: number[][]; distance: number[][] } = { R1: [], R2: [], distance: [] };
      for (let b = 0; b < prompts; b++) {
        const context = contextOf(batch, b);
        const path = descentPath(context, layers);
        found.R1.push(path.flatMap((w) => objectives1(context, w)));
        found.R2.push(path.flatMap((w) => objectives2(context, w)));
        found.distance.push(path.map((w) => frontDistance(context, w)));
        if (b % 16 === 15) {
          report(b / prompts);
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
      return { R1: summarise(found.R1), R2: summarise(found.R2), distance: summarise(found.distance) };
    });
    const [risk, theory] = ['model', 'theorem-4.1'].map((estimator) =>
      scoreOf(rows, name, { measure: 'squared-error', estimator }),
    ) as [Score, Score];
    const first = along.distance[0]!.mean;
    const last = along.distance.at(-1)!.mean;
    const nearest = Math.min(...along.distance.map(({ mean }) => mean));
    const entry = (scores: readonly Score[], layer: number, k: number) => scores[layer * (d + 1) + k]!;
    const seriesOf = (scores: readonly Score[], group: string) =>
      Array.from({ length: d + 1 }, (_, k) => {
        const measured = Array.from({ length: LAYERS + 1 }, (__, layer) => point(layer, entry(scores, layer, k)));
        return { label: `${group} ${k + 1}`, measured, trace: measured };
      });
    const x = { label: 'after layer', type: 'linear' as const, ticks: [0, 2, 4, 6, 8, 10] };
    const distances = along.distance.map((score, layer) => point(layer, score));
    return {
      models: [model!],
      claims: [
        boundClaim(
          'Theorem 4.1, with the sign of descent: risk of the ONNX file minus that of <w_L, x>, same prompts',
          {
            theory: 0,
            measured: Math.abs(risk.mean - theory.mean),
            limit: 1e-4,
            shown: 'float32 over ten layers',
          },
        ),
        boundClaim('least distance to the front of R1 along the layers, over that of w = 0', {
          measured: nearest / first,
          limit: 0.5,
          shown: 'half: the layers approach it',
        }),
      ],
      figure: {
        name: 'objectives',
        caption:
          `Ten layers in the subspace of Theorem 4.1, trained on fresh prompts (d = ${d}, n = ${n}, ${steps} steps); means over ${prompts} fresh contexts ` +
          'with two standard errors. R1: five linear objectives and, sixth, half the mean squared residual. R2: objectives centred on the last ' +
          'weight. Distance from R1(w) to its Pareto front, which is exactly every w above least squares: ' +
          `${first.toFixed(3)} at w = 0, ${nearest.toFixed(3)} at the nearest layer, ${last.toFixed(3)} at the end. Risk of the model ${risk.mean.toFixed(4)}.`,
        draw: (context) =>
          drawLineChart(context, {
            description: 'Objectives R1 and R2 and the distance to the front of R1 after each of ten layers.',
            words: {},
            columns: 3,
            height: 220,
            panels: [
              { title: 'R1', x, y: { label: '', type: 'linear' }, series: seriesOf(along.R1, 'objective') },
              { title: 'R2', x, y: { label: '', type: 'linear' }, series: seriesOf(along.R2, 'objective') },
              {
                title: 'Distance to the front of R1',
                x,
                y: { label: '', type: 'linear', low: 0 },
                series: [{ label: 'distance', measured: distances, trace: distances, mark: 'times' }],
              },
            ],
          }),
        table: tableOf(
          [
            'layer',
            ...['R1', 'R2'].flatMap((group) => Array.from({ length: d + 1 }, (_, k) => `${group}, ${k + 1}`)),
            'distance',
            's.e.',
          ],
          distances.map(({ x: layer, y, standardError }) => [
            layer,
            ...[along.R1, along.R2].flatMap((scores) =>
              Array.from({ length: d + 1 }, (_, k) => entry(scores, layer, k).mean),
            ),
            y,
            standardError,
          ]),
        ),
      },
    };
  },
};
