/** The study's settings as a law of prompts and a model, and what theory says about them. */
import type { FrozenModel } from '../../export/read-model.ts';
import type { Architecture } from '../../models/architecture.ts';
import { multilayerLinearAttention } from '../../models/attention/multilayer-linear-attention.ts';
import { pairedTransformer } from '../../models/attention/paired-transformer.ts';
import { sparseLinearAttention } from '../../models/attention/sparse-linear-attention.ts';
import { UsageError, unknownName } from '../../models/errors.ts';
import type { MarkovChainSpec } from '../../models/tasks/markov-chain.ts';
import {
  correlatedStarts,
  type LayerFactors,
  lengthTwoRisk,
  phi,
  populationRisk,
  type QuadraticRisk,
  riskAt,
  squaredDistance,
} from '../../models/theory/ding2025.ts';
import { numberOf } from '../settings.ts';
import type { ModelTheory, Settings, StudyModel } from '../study.ts';

/** By the setting `form`. */
const forms: Readonly<Record<string, Architecture>> = {
  sparse: sparseLinearAttention,
  dense: multilayerLinearAttention,
  transformer: pairedTransformer,
};

/** n; Infinity for `inf`. */
export const lengthOf = (settings: Settings): number =>
  settings['n'] === 'inf' ? Number.POSITIVE_INFINITY : numberOf(settings, 'n');

/** @throws {UsageError} for a form that there is not, or an infinite context. */
export function modelOf(settings: Settings): StudyModel {
  const form = String(settings['form']);
  const architecture = forms[form];
  if (architecture === undefined) throw unknownName('--set form', form, Object.keys(forms));
  const contextLength = lengthOf(settings);
  if (!Number.isFinite(contextLength)) {
    throw new UsageError({ where: '--set n', expected: 'a finite context for a model', got: 'inf' });
  }
  const layers = numberOf(settings, 'L');
  const options =
    form === 'transformer' ? { layers, width: 32, heads: 2 } : { layers, outputSign: layers === 1 ? 1 : -1 };
  return { architecture, sizes: { dimension: numberOf(settings, 'd'), options }, contextLength };
}

const starts = ['independent', 'squared-distance'];

/** @throws {UsageError} if a setting contradicts another. */
export function taskOf(settings: Settings): MarkovChainSpec {
  const states = numberOf(settings, 'S');
  const start = String(settings['start']);
  if (!starts.includes(start)) throw unknownName('--set start', start, starts);
  const groups = numberOf(settings, 'groups');
  const p = numberOf(settings, 'p');
  const binaryStart = start === 'independent' ? 'bernoulli' : start;
  return {
    name: 'markov-chain',
    dimension: numberOf(settings, 'd'),
    states,
    concentration: numberOf(settings, 'alpha'),
    start: states > 2 && start === 'independent' ? { kind: 'uniform' } : { kind: binaryStart as 'bernoulli', p },
    ...(groups > 1 ? { groups } : {}),
  };
}

/** The exact quadratic risk of one layer under a law; null where none is known: more states, other kernels, several groups. */
export function riskOf(task: MarkovChainSpec, n: number): QuadraticRisk | null {
  const { dimension: d, states, concentration, start, groups = 1, kernel } = task;
  if (states !== 2 || concentration !== 1 || groups !== 1 || kernel !== undefined) return null;
  if (start.kind === 'squared-distance') {
    const { p } = start;
    return d === 1 ? lengthTwoRisk(correlatedStarts(p, n, squaredDistance(p)), n) : null;
  }
  return populationRisk({ d, p: start.kind === 'bernoulli' ? start.p : 1 / 2 }, n);
}

type NamedParameters = Readonly<Record<string, ArrayLike<number>>>;

const rows = (values: ArrayLike<number>, columns: number): number[][] =>
  Array.from({ length: values.length / columns }, (_, i) =>
    Array.from({ length: columns }, (_, j) => values[i * columns + j]!),
  );

/** (b, A) of layer l, dense or sparse: the last row of P_l and the first D columns of Q_l. */
export function layerFactors(parameters: NamedParameters, dimension: number, l = 0): LayerFactors {
  const sparse = parameters[`value_row_${l}`];
  if (sparse !== undefined) return { b: Array.from(sparse), A: rows(parameters[`key_query_${l}`]!, dimension) };
  const P = rows(parameters[`projection_value_${l}`]!, dimension + 1);
  const Q = rows(parameters[`key_query_${l}`]!, dimension + 1);
  return { b: P.at(-1)!, A: Q.map((row) => row.slice(0, dimension)) };
}

/** The enlarged parameters of a model of one layer, the sign of its output included. */
export function enlarged(parameters: NamedParameters, dimension: number, outputSign: number): Float64Array {
  return phi(layerFactors(parameters, dimension)).map((value) => outputSign * value);
}

/** The exact risk of a model's own numbers, if it has one linear layer. */
export function modelTheory({ architecture, parameters, sizes }: FrozenModel): ModelTheory {
  const { layers, outputSign } = sizes.options ?? {};
  const isLinear =
    architecture.name === sparseLinearAttention.name || architecture.name === multilayerLinearAttention.name;
  if (!isLinear || layers !== 1) return () => null;
  const X = enlarged(parameters, sizes.dimension, outputSign!);
  return (task, contextLength, measure) => {
    if (task.name !== 'markov-chain' || measure !== 'squared-error') return null;
    const risk = riskOf(task, contextLength);
    return risk === null ? null : riskAt(risk, X);
  };
}
