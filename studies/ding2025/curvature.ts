/**
 * Figure 10: the risk along six coordinates of the enlarged parameters around X*, d = 2: measured on fresh prompts, on the exact
 * parabolas f~* + H_ii t^2. No model is trained for it.
 */
import { allocateBatch } from '../../models/prompts.ts';
import { createGenerator, streams } from '../../models/random.ts';
import { createSampler } from '../../models/tasks/index.ts';
import { minimise, populationRisk } from '../../models/theory/ding2025.ts';
import { statisticalClaim } from '../claims.ts';
import { linearGrid } from '../figures/grids.ts';
import { drawLineChart } from '../figures/line-chart.ts';
import { numberOf } from '../settings.ts';
import { baseSettings, type Experiment, tableOf } from './experiment.ts';
import { batchFeatures } from './features.ts';
import { taskOf } from './law.ts';

const d = 2;
const COORDINATES = 6;
const names = ['1·11', '1·12', '1·13', '1·22', '1·23', '1·33'];
/** How far from X*, in units at which the risk has risen by RISE. */
const offsets = [-2, -1, 0, 1, 2];
const RISE = 0.02;

export const curvature: Experiment = {
  name: 'curvature',
  stages: () => 1,
  async run({ workshop, settings, seed, size }) {
    const [n, p] = [100, numberOf(settings, 'p')];
    const risk = populationRisk({ d, p }, n);
    const { X, risk: least } = minimise(risk);
    const unit = (i: number) => Math.sqrt(RISE / risk.H[i * (X.length + 1)]!);
    const moves = Array.from({ length: COORDINATES }, (_, i) => offsets.map((offset) => offset * unit(i)));
    const task = taskOf({ ...baseSettings, d, n, p });
    const prompts = Math.min(size.prompts, 30_000);
    const measured = await workshop.work('measuring around X*', async (report) => {
      const sums = moves.map((steps) => steps.map(() => ({ total: 0, squares: 0 })));
      const sampler = createSampler(task);
      const batch = allocateBatch({ batch: 500, context: n, queries: 1, ...sampler });
      for (let first = 0; first < prompts; first += batch.batch) {
        sampler.fill(createGenerator(seed, streams.evaluation), first, batch);
        const features = batchFeatures(batch);
        for (let b = 0; b < batch.batch; b++) {
          const at = b * X.length;
          let base = -batch.targets[b]!;
          for (let i = 0; i < X.length; i++) base += X[i]! * features[at + i]!;
          moves.forEach((steps, i) => {
            steps.forEach((step, k) => {
              const error = (base + step * features[at + i]!) ** 2;
              const sum = sums[i]![k]!;
              sum.total += error;
              sum.squares += error * error;
            });
          });
        }
        report(first / prompts);
        await new Promise((resolve) => setImmediate(resolve));
      }
      const count = Math.ceil(prompts / batch.batch) * batch.batch;
      return moves.map((steps, i) =>
        steps.map((step, k) => {
          const { total, squares } = sums[i]![k]!;
          const mean = total / count;
          return { x: X[i]! + step, y: mean, standardError: Math.sqrt((squares / count - mean * mean) / count) };
        }),
      );
    });
    const exact = (i: number, x: number) => least + risk.H[i * (X.length + 1)]! * (x - X[i]!) ** 2;
    const comparisons = measured.flatMap((points, i) =>
      points.map(({ x, y, standardError }, k) => ({
        label: `X ${names[i]}, offset ${offsets[k]}`,
        theory: exact(i, x),
        measured: y,
        standardError,
      })),
    );
    return {
      models: [],
      claims: [statisticalClaim('risk around X* on the exact parabolas, d = 2', comparisons)],
      figure: {
        name: 'curvature',
        caption:
          `Risk when one of the first six coordinates of X* is moved, d = 2, p = ${p}, n = ${n}, on ${prompts.toLocaleString('en')} prompts per ` +
          'point (the same for all). The parabolas are exact, f~* plus H_ii times the square of the move; the dashed line is X*. ' +
          'Coordinate j·kl multiplies the query’s state j and the mean of z_k z_l over the context, state 3 being the response.',
        draw: (context) =>
          drawLineChart(context, {
            description: 'Six parabolas with measured points on them, each least at the dashed line.',
            words: {},
            columns: 3,
            height: 150,
            panels: measured.map((points, i) => ({
              title: `X ${names[i]!}`,
              x: { label: 'value', type: 'linear' as const },
              y: {
                label: i % 3 === 0 ? 'risk' : '',
                type: 'linear' as const,
                low: least - RISE / 2,
                high: least + 5 * RISE,
              },
              series: [
                {
                  label: 'measured, on the exact risk',
                  measured: points,
                  theory: linearGrid(points[0]!.x, points.at(-1)!.x, 41).map((x) => ({ x, y: exact(i, x) })),
                },
              ],
              guides: [{ axis: 'x' as const, at: X[i]! }],
            })),
          }),
        table: tableOf(
          ['coordinate', 'value', 'risk', 'std. error', 'exact'],
          measured.flatMap((points, i) =>
            points.map(({ x, y, standardError }) => [names[i]!, x, y, standardError, exact(i, x)]),
          ),
        ),
      },
    };
  },
};
