/** What is seen of a softmax attention layer that is being trained: where each query looks, with the phases of the rare one. */
import { softmaxAttention } from '../../models/attention/softmax-attention.ts';
import { identity } from '../../models/matrix.ts';
import { featureProbabilities, initialLoss, missingFeatureFloor } from '../../models/theory/huang2023.ts';
import type { TrainingConfig } from '../../train/config.ts';
import type { Settings } from '../study.ts';
import { unknownTheory, type Watch } from '../watch-types.ts';
import {
  exactStates,
  type Probe,
  probabilityOf,
  probe,
  type QuantityName,
  quantities,
  queriesOf,
  queryKinds,
  stepGrid,
} from './findings.ts';
import { featureSettings, taskOf } from './law.ts';
import { phaseRanges } from './phases.ts';

type Kind = ReturnType<typeof queryKinds>[number];

interface Track {
  readonly label: string;
  readonly kind: Kind;
  readonly quantity: QuantityName;
}

/** What is followed, where features are alike and where one dominates. */
const tracksOf = (settings: Settings): readonly Track[] =>
  queryKinds(settings).at(-1) === 'rare'
    ? [
        { label: 'rare query, on its own feature', kind: 'rare', quantity: 'ownAttention' },
        { label: 'rare query, on the dominant one', kind: 'rare', quantity: 'dominantAttention' },
        { label: 'dominant query, on its own', kind: 'dominant', quantity: 'ownAttention' },
      ]
    : [{ label: 'query, on its own feature', kind: 'balanced', quantity: 'ownAttention' }];

/** Mean over the queries of a kind. */
function meanOf(settings: Settings, { kind, quantity }: Omit<Track, 'label'>, probed: Probe): number {
  const queries = queriesOf(settings, kind);
  return queries.reduce((sum, k) => sum + quantities[quantity].probed({ k, probe: probed }), 0) / queries.length;
}

export function watchFeatures(config: TrainingConfig): Watch {
  const { model, contextLength: N, steps, optimizer, schedule } = config;
  const settings: Settings = { ...config.settings, N };
  const { features } = taskOf(settings);
  if (model.name !== softmaxAttention.name || (features.kind !== 'basis' && features.kind !== 'rotation')) {
    return unknownTheory('The dynamics are those of one layer of softmax attention on orthonormal features.');
  }
  const { K } = featureSettings(settings);
  const probabilities = featureProbabilities(featureSettings(settings));
  const kinds = queryKinds(settings);
  /** Chance of a query of a kind. */
  const shareOf = (kind: Kind) => probabilityOf(settings, kind) * queriesOf(settings, kind).length;
  const over = (value: (kind: Kind) => number) => kinds.reduce((sum, kind) => sum + shareOf(kind) * value(kind), 0);
  // The curves are of plain descent at a constant rate; another optimizer has other times.
  const isDescent = optimizer.name === 'sgd' && optimizer.momentum === 0 && schedule.name === 'constant';
  const descended: Settings = { ...settings, eta: optimizer.learningRate };
  const grid = stepGrid(steps);
  const along = (track: Omit<Track, 'label'>) =>
    isDescent
      ? exactStates(descended, track.kind, grid).map((state) => ({
          x: state.step,
          y: quantities[track.quantity].exact(state),
        }))
      : [];
  const losses = kinds.map((kind) => along({ kind, quantity: 'loss' }));
  const tracks = tracksOf(settings);
  return {
    loss: {
      minimum: over((kind) => missingFeatureFloor(probabilityOf(settings, kind), K, N)),
      curve: losses[0]!.map(({ x }, i) => ({
        x,
        y: kinds.reduce((sum, kind, j) => sum + shareOf(kind) * losses[j]![i]!.y, 0),
      })),
      source:
        `Curve: gradient descent on the expected loss at this N, exactly (the updates of Huang, Cheng, Liang, section 5), from ${initialLoss(probabilities, K - 1, N).toPrecision(3)} for the rarest query. ` +
        'Least loss: prompts that lack the query’s feature, about ½ Σ p_k (1 − p_k)^N (1 + 1/(K − 1)).',
    },
    matrix: {
      name: 'attention, trained',
      limitName: 'where it ends',
      limit: identity(K),
      beside: null,
      scale: 'sequential',
      axes: 'column: the query’s feature; row: the feature it attends to',
      source: 'In the end each query attends to the pairs of its own feature only (Theorems 3.1 and 3.3).',
    },
    tracks: {
      name: 'attention',
      series: tracks.map((track) => ({ label: track.label, theory: along(track) })),
      ranges: isDescent ? phaseRanges(descended, steps) : [],
      source:
        'Lines: exact descent at this N. Phases of the rare query (Theorem 3.3): I until the leading influence switches, α_k > |β_k,1|; II until A_k − B_k,1 > 1.01 log K; III until A_k > log K; IV convergence.',
    },
    remark: isDescent ? null : 'The curves of theory are of plain gradient descent at a constant rate.',
    look: (step, parameters) => {
      const probed = probe(settings, { step, parameters, sizes: model });
      return {
        matrix: Array.from({ length: K }, (_, n) => probed.queries.map(({ attention }) => attention[n]!)),
        tracks: tracks.map((track) => meanOf(settings, track, probed)),
        exactLoss: over((kind) => meanOf(settings, { kind, quantity: 'loss' }, probed)),
      };
    },
  };
}
