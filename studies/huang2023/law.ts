/** The study's settings as laws of prompts and as what theory needs; a frozen model's exact risk. */
import type { FrozenModel } from '../../export/read-model.ts';
import { softmaxAttention } from '../../models/attention/softmax-attention.ts';
import { UsageError } from '../../models/errors.ts';
import type { Matrix } from '../../models/matrix.ts';
import { type FeatureDictionary, featureVectors, gramMatrix } from '../../models/tasks/feature-dictionary.ts';
import type { FeatureRegressionSpec } from '../../models/tasks/feature-regression.ts';
import {
  eventsOf,
  type FeatureSettings,
  featureProbabilities,
  featureRisk,
  isBalanced,
  type QueryKind,
} from '../../models/theory/huang2023.ts';
import { numberOf } from '../settings.ts';
import type { ModelTheory, Settings } from '../study.ts';

/** K and p_1; `balanced` stands for 1/K. */
export function featureSettings(settings: Settings): FeatureSettings {
  const K = numberOf(settings, 'K');
  return { K, p1: settings['p1'] === 'balanced' ? 1 / K : numberOf(settings, 'p1') };
}

/** The kinds of query that the settings have, the slow one last. */
export const queryKinds = (settings: Settings): readonly QueryKind[] =>
  isBalanced(featureSettings(settings)) ? ['balanced'] : ['dominant', 'rare'];

/** Reads `basis`, `rotation`, `equicorrelated(.3)` or `gaussian`. @throws {UsageError} for anything else. */
export function parseDictionary(where: string, text: string): FeatureDictionary {
  const [, kind, argument] = /^\s*([a-z]+)\s*(?:\(([^)]*)\))?\s*$/.exec(text) ?? [];
  if (argument === undefined) {
    if (kind === 'basis') return { kind };
    if (kind === 'rotation' || kind === 'gaussian') return { kind, seed: 0 };
  }
  const correlation = Number(argument);
  if (kind === 'equicorrelated' && argument?.trim() !== '' && Number.isFinite(correlation)) {
    return { kind, correlation };
  }
  throw new UsageError({
    where,
    expected: 'basis, rotation, equicorrelated(c) or gaussian',
    got: JSON.stringify(text),
  });
}

/** Prompts of features with a Gaussian w and no noise. @throws {UsageError} if the features do not fit into d dimensions. */
export function taskOf(settings: Settings): FeatureRegressionSpec {
  const task: FeatureRegressionSpec = {
    name: 'feature-regression',
    dimension: numberOf(settings, 'd'),
    features: parseDictionary('--set features', String(settings['features'])),
    probabilities: featureProbabilities(featureSettings(settings)),
    taskLaw: 'gaussian',
    noiseVariance: 0,
  };
  vectorsOf(task);
  return task;
}

/** v_1, .., v_K. */
export const vectorsOf = ({ features, probabilities, dimension }: FeatureRegressionSpec): Matrix =>
  featureVectors(features, probabilities.length, dimension);

/** V Q V^T, `[n][k]` = v_n^T Q v_k: the logit of key n for query k. */
export function logitsOf(vectors: Matrix, keyQuery: ArrayLike<number>): number[][] {
  const images = vectors.map((v) =>
    v.map((_, i) => v.reduce((sum, value, j) => sum + keyQuery[i * v.length + j]! * value, 0)),
  ); // Q v_k
  return vectors.map((key) => images.map((image) => key.reduce((sum, value, i) => sum + value * image[i]!, 0)));
}

/** A softmax layer: its parameters and its sizes. */
export type Layer = Pick<FrozenModel, 'parameters' | 'sizes'>;

/** nu of a softmax layer. */
export const valueWeightOf = ({ parameters, sizes }: Layer): number =>
  Number(parameters['value_weight']?.[0] ?? sizes.options?.['valueWeight'] ?? 1);

/** The exact risk of a softmax layer on any features. */
export function exactRisk(model: Layer): (task: FeatureRegressionSpec, length: number) => number {
  const nu = valueWeightOf(model);
  return (task, length) => {
    const vectors = vectorsOf(task);
    const gram = gramMatrix(vectors).map((row) => row.map(exactly));
    const { probabilities, queryProbabilities = probabilities, noiseVariance } = task;
    const logits = logitsOf(vectors, model.parameters['key_query']!);
    return featureRisk({ gram, logits, probabilities, queryProbabilities, length, nu, noiseVariance });
  };
}

/** {@link exactRisk} of a frozen softmax layer; null for other models and other prompts. */
export function modelTheory(model: FrozenModel): ModelTheory {
  if (model.architecture.name !== softmaxAttention.name) return () => null;
  const exact = exactRisk(model);
  return (task, length) => (task.name === 'feature-regression' ? exact(task, length) : null);
}

/** 0 and 1 where only rounding is between: orthonormal features are then recognised, and cheaper. */
const exactly = (value: number): number => (Math.abs(value - Math.round(value)) < 1e-12 ? Math.round(value) : value);

/** Steps after which the slowest query's loss is below .01 in the mean field, and half as many again. */
export function defaultSteps(settings: Settings): number {
  const kind = queryKinds(settings).at(-1)!;
  const events = eventsOf({ ...featureSettings(settings), eta: numberOf(settings, 'eta') }, kind, undefined, 20_000);
  return Math.max(100, Math.ceil((1.5 * events.steps) / 100) * 100);
}
