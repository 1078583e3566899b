/**
 * Figure 7: what a small softmax transformer attends to when the context is k equal groups of chains, each with its own kernel.
 * One token per chain, four layers, all chains see all. It is trained on contexts in groups, the query being of the last one.
 */
import { allocateBatch } from '../../models/prompts.ts';
import { createGenerator, streams } from '../../models/random.ts';
import { createSampler } from '../../models/tasks/index.ts';
import { drawHeatMaps } from '../figures/heat-map.ts';
import { attentionMaps, meanMap, ownShare, similarityMap } from './attention-maps.ts';
import { aboveClaim, adam, baseSettings, type Experiment, plan, scoreOf, tableOf } from './experiment.ts';
import { modelOf, taskOf } from './law.ts';

const d = 5;
const LAYERS = 4;
const HEADS = 2;
const WIDTH = 32;
const PROMPTS = 128;
/** Kernels of concentration .3 are peaked: groups can be told apart. */
const ALPHA = 0.3;

export const attention: Experiment = {
  name: 'attention',
  stages: () => 3,
  async run(bench) {
    const { workshop, seed, size } = bench;
    const { steps, contextLength: n, groups } = size.attention;
    const most = Math.max(...groups);
    const settings = { ...baseSettings, d, n, alpha: ALPHA, groups: most, L: LAYERS, form: 'transformer' };
    const { architecture, sizes } = modelOf(settings);
    const [model] = await workshop.train([
      plan(bench, {
        name: 'attention',
        label: `transformer, ${most} groups`,
        settings,
        seed,
        overrides: {
          model: { name: architecture.name, ...sizes, options: { ...sizes.options, width: WIDTH, heads: HEADS } },
          steps,
          batch: 64,
          optimizer: adam(0.002),
          initialisation: { scheme: 'fan-in', options: {} },
        },
      }),
    ]);
    const estimators = ['known-kernel', 'pooled-counts'];
    const rows = await workshop.measure(model!, { lengths: [n], prompts: Math.min(4000, size.prompts), estimators });
    const found = await workshop.work('attention maps', () =>
      groups.map((k) => {
        const sampler = createSampler({ ...taskOf(settings), groups: k });
        const prompts = allocateBatch({ batch: PROMPTS, context: n, queries: 1, ...sampler });
        sampler.fill(createGenerator(seed, streams.evaluation), 0, prompts);
        const maps = attentionMaps(model!.run.frozen, prompts);
        const layers = Array.from({ length: LAYERS - 1 }, (_, l) => maps.slice(l * HEADS, (l + 1) * HEADS));
        return {
          k,
          similarity: similarityMap(prompts),
          layers: layers.map((heads) => ({ map: meanMap(heads), share: summary(ownShare(heads, k)) })),
        };
      }),
    );
    const risk = (estimator: string) => scoreOf(rows, 'attention', { measure: 'squared-error', estimator }).mean;
    const strongest = found.map(({ k, layers }) => ({
      k,
      best: layers.map(({ share }) => share).reduce((a, b) => (b.mean > a.mean ? b : a)),
    }));
    return {
      models: [model!],
      claims: strongest.map(({ k, best }) =>
        aboveClaim(`${k} groups: share of attention, per chain, that goes to the own group; strongest layer`, {
          mean: best.mean,
          standardError: best.standardError,
          limit: 0.5,
        }),
      ),
      figure: {
        name: 'attention',
        caption:
          `Attention between the chains of a context in k groups with a kernel each (Dirichlet ${ALPHA}), mean over ${PROMPTS} prompts and ${HEADS} heads, above (orange) ` +
          `or below (blue) even attention; left, the similarity of the chains, 1 − Hamming distance / length, less its mean. A transformer of ${LAYERS} layers and width ${WIDTH}, one token per chain, trained on ` +
          `contexts of ${most} groups (reduced size: ${steps} steps; the last layer only serves the query). Chains attend to chains of the same kernel: of what ` +
          `goes to one chain of either kind, ${strongest.map(({ k, best }) => `${(100 * best.mean).toFixed(0)} % at k = ${k}`).join(' and ')} goes to the own group. Risk ${risk('model').toFixed(3)}; counting all chains alike ` +
          `${risk('pooled-counts').toFixed(3)}, known kernel ${risk('known-kernel').toFixed(3)}.`,
        draw: (context) =>
          drawHeatMaps(context, {
            maps: found.flatMap(({ k, similarity, layers }) => [
              { title: `k = ${k}: similarity`, matrix: contrast(similarity), subtitle: 'of chains' },
              ...layers.map(({ map, share }, l) => ({
                title: `layer ${l + 1}`,
                subtitle: `own group ${(100 * share.mean).toFixed(0)} %`,
                matrix: map.map((row, i) => row.map((value, j) => (i === j ? 0 : n * value - 1))),
              })),
            ]),
            scale: 'diverging',
            isShared: false,
            valueName: 'relative to even attention',
            rowName: 'chain',
            columnName: 'chain',
            columns: LAYERS,
            narrowColumns: 2,
            description:
              'Heat maps of attention between context chains: blocks along the diagonal where chains share a kernel.',
          }),
        table: tableOf(
          ['groups', 'layer', 'share of the own group', 's.e.'],
          found.flatMap(({ k, layers }) => layers.map(({ share }, l) => [k, l + 1, share.mean, share.standardError])),
        ),
      },
    };
  },
};

function summary(values: readonly number[]) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, standardError: Math.sqrt(variance / values.length) };
}

/** A matrix less the mean of its entries off the diagonal, which is set to 0: what differs between pairs. */
function contrast(matrix: readonly (readonly number[])[]): number[][] {
  const n = matrix.length;
  const total = matrix.reduce((sum, row, i) => sum + row.reduce((s, value, j) => s + (i === j ? 0 : value), 0), 0);
  const mean = total / (n * (n - 1));
  return matrix.map((row, i) => row.map((value, j) => (i === j ? 0 : value - mean)));
}
