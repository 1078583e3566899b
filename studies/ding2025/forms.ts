/**
 * Figure 4: gradient descent on the dense layer (P, Q) and on the sparse one (b, A), chains of length 2, p = .3, n = 30, 100
 * prompts a step. Both start as a step of gradient descent on the context, so their risks should fall together.
 */
import { minimise, populationRisk, riskAt } from '../../models/theory/ding2025.ts';
import { boundClaim, comparisonsOf, statisticalClaim } from '../claims.ts';
import { drawLineChart } from '../figures/line-chart.ts';
import type { TrainedModel } from '../reproduce.ts';
import { baseSettings, type Experiment, exactPoint, plan, tableOf } from './experiment.ts';
import { enlarged, modelOf } from './law.ts';

const [p, n] = [0.3, 30];
const BATCH = 100;
/** The largest rate at which descent is still smooth, of 0.5, 1, 2, 4. */
const RATE = 0.5;
/** How far the two may be apart: the same prompts and the same start leave rounding. */
const APART = 1e-4;

const keptSteps = (steps: number): number[] => [
  ...new Set(Array.from({ length: 25 }, (_, i) => Math.round(10 * (steps / 10) ** (i / 24)))),
];

export const forms: Experiment = {
  name: 'forms',
  stages: () => 4,
  async run(bench) {
    const { workshop, seed, size } = bench;
    const { steps } = size.forms;
    const models = await workshop.train(
      ['dense', 'sparse'].map((form) => {
        const settings = { ...baseSettings, d: 1, n, p, form };
        const { architecture, sizes } = modelOf(settings);
        return plan(bench, {
          name: `forms-${form}`,
          label: `${form}, d = 1`,
          settings,
          seed,
          keepSteps: keptSteps(steps),
          overrides: {
            // Of this sign the starts of the two forms are the same function.
            model: { name: architecture.name, ...sizes, options: { layers: 1, outputSign: -1 } },
            initialisation: { scheme: 'gradient-descent', options: { rate: 0.1 } },
            optimizer: { name: 'sgd', learningRate: RATE, momentum: 0 },
            schedule: { name: 'constant' },
            clipNorm: null,
            steps,
            batch: BATCH,
          },
        });
      }),
    );
    const rows = (
      await Promise.all(models.map((model) => workshop.measure(model, { lengths: [n], prompts: size.prompts })))
    ).flat();
    const risk = populationRisk({ d: 1, p }, n);
    const least = minimise(risk).risk;
    const curve = ({ run }: TrainedModel) =>
      run.kept.map(({ step, parameters }) => exactPoint(step, riskAt(risk, enlarged(parameters, 1, -1))));
    const [dense, sparse] = models.map(curve) as [ReturnType<typeof curve>, ReturnType<typeof curve>];
    const apart = Math.max(...dense.map(({ y }, i) => Math.abs(y - sparse[i]!.y)));
    const claims = [
      boundClaim('dense and sparse layers have the same risk all along gradient descent (largest difference)', {
        theory: 0,
        measured: apart,
        limit: APART,
        shown: String(APART),
      }),
      boundClaim(`risk of the trained layers over the least, f~* = ${least.toFixed(5)}, at d = 1`, {
        theory: 1,
        measured: Math.max(dense.at(-1)!.y, sparse.at(-1)!.y) / least,
        limit: 1.01,
        shown: '1 %',
      }),
      statisticalClaim('measured risk of the trained layers at d = 1 on the exact one', comparisonsOf(rows)),
    ];
    return {
      models,
      claims,
      figure: {
        name: 'forms',
        caption:
          `Exact risk of the parameters along plain gradient descent (rate ${RATE}, ${BATCH} fresh prompts a step) at d = 1, p = ${p}, ` +
          `n = ${n}. Only the last row of P and the first column of Q reach the prediction: the dense layer goes the sparse ` +
          `layer’s way, to the least risk of Theorem 3.3, ${least.toFixed(5)}. Predicting 0 costs 0.5.`,
        draw: (context) =>
          drawLineChart(context, {
            description: `Risk against steps for both forms: the points coincide and level off at ${least.toFixed(4)}.`,
            words: { measured: 'exact risk at kept steps' },
            panels: [
              {
                x: { label: 'step of gradient descent', type: 'log' },
                y: { label: 'risk (squared error)', type: 'linear' },
                series: [
                  { label: 'dense (P, Q)', trace: dense, measured: dense, mark: 'square' },
                  { label: 'sparse (b, A)', measured: sparse.filter((_, i) => i % 2 === 0), mark: 'times' },
                ],
                guides: [{ axis: 'y', at: least, label: 'least risk' }],
              },
            ],
            legend: 'key',
          }),
        table: tableOf(
          ['step', 'risk, dense', 'risk, sparse', 'least risk'],
          dense.map(({ x, y }, i) => [x, y, sparse[i]!.y, least]),
        ),
      },
    };
  },
};
