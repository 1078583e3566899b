/**
 * What the experiments have found, before it becomes claims and figures: probes of the parameters along training, beside
 * exact descent of the population loss at the same N and learning rate.
 */
import {
  descentStates,
  featureProbabilities,
  finiteLengthRule,
  type QueryKind,
  type QueryMoments,
  type QueryState,
  queryLaw,
  queryLawOf,
} from '../../models/theory/huang2023.ts';
import type { RunRow, TrainedModel } from '../reproduce.ts';
import { numberOf } from '../settings.ts';
import type { Settings } from '../study.ts';
import { featureSettings, type Layer, logitsOf, queryKinds, taskOf, valueWeightOf, vectorsOf } from './law.ts';

/** The parameters after `step` steps, as logits, and what they mean on prompts of the training length, exactly. */
export interface Probe {
  readonly step: number;
  /** V Q V^T, `[n][k]` for key n and query k. */
  readonly logits: readonly (readonly number[])[];
  /** Per query k: L_k, E[Attn_n] and -dL_k/dq_n, with feature n at place n. */
  readonly queries: readonly QueryMoments[];
}

export interface Probed {
  readonly model: TrainedModel;
  readonly probes: readonly Probe[];
}

/** What was trained and measured; parts that the wanted figures do not need are empty. */
export interface Findings {
  readonly settings: Settings;
  /** One per seed, at the settings. */
  readonly main: readonly Probed[];
  /** The same at another learning rate, with as much eta t. */
  readonly faster: Probed | null;
  readonly balanced: Probed | null;
  /** The small setting as the paper has it, and its variants. */
  readonly variants: readonly Probed[];
  readonly linear: TrainedModel | null;
  readonly lengthRows: readonly RunRow[];
  readonly shiftRows: readonly RunRow[];
  readonly variantRows: readonly RunRow[];
  readonly times: readonly TimePoint[];
  readonly orders: readonly OrderPoint[];
}

/** Steps to a loss, times eta, by sampled prompts and in the mean field. */
export interface TimePoint {
  readonly kind: 'balanced' | 'rare';
  readonly K: number;
  readonly epsilon: number;
  readonly meanField: number;
  /** By descent on sampled counts; null where it was not run. */
  readonly sampled: SampledTime | null;
}

export interface SampledTime {
  readonly mean: number;
  readonly standardError: number;
  readonly seeds: number;
  /** Of exact descent at the same N = 20 K. */
  readonly exact: number;
}

/** When a rare query's events happen in the mean field, in units of K^2/eta; NaN for what does not happen. */
export interface OrderPoint {
  readonly K: number;
  readonly p1: number;
  readonly times: Readonly<Record<string, number>>;
}

export const lengthOf = (settings: Settings): number => numberOf(settings, 'N');
export const etaOf = (settings: Settings): number => numberOf(settings, 'eta');

/** Reads the kept parameters of a run. */
export function probeRun(model: TrainedModel): Probed {
  const { run, plan } = model;
  return { model, probes: run.kept.map((kept) => probe(plan.settings, { ...kept, sizes: run.frozen.sizes })) };
}

/** Reads the parameters after some steps at these settings. */
export function probe(settings: Settings, { step, ...layer }: Layer & Pick<Probe, 'step'>): Probe {
  const task = taskOf(settings);
  const { probabilities } = task;
  const logits = logitsOf(vectorsOf(task), layer.parameters['key_query']!);
  const nu = valueWeightOf(layer);
  const queries = probabilities.map((_, k) => {
    const rule = finiteLengthRule(queryLawOf(probabilities, k), lengthOf(settings), nu);
    const column = logits.map((row) => row[k]!);
    const moments = rule(Float64Array.of(column[k]!, ...column.filter((_, n) => n !== k)));
    return { loss: moments.loss, attention: atPlace(moments.attention, k), direction: atPlace(moments.direction, k) };
  });
  return { step, logits, queries };
}

/** Moves the target from the first place to its own. */
function atPlace(values: Float64Array, k: number): Float64Array {
  const others = [...values.subarray(1)];
  return Float64Array.from([...others.slice(0, k), values[0]!, ...others.slice(k)]);
}

/** A mean with its standard error; 0 where there is only one value. */
export interface Summary {
  readonly mean: number;
  readonly standardError: number;
  readonly count: number;
}

export function summarise(values: readonly number[]): Summary {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  if (count === 1) return { mean, standardError: 0, count };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  return { mean, standardError: Math.sqrt(variance / count), count };
}

/** The queries of a kind: v_1 is the dominant feature. */
export function queriesOf(settings: Settings, kind: QueryKind): number[] {
  const { K } = featureSettings(settings);
  const all = Array.from({ length: K }, (_, k) => k);
  if (kind === 'balanced') return all;
  return kind === 'dominant' ? [0] : all.slice(1);
}

/** Numbers of one query in a probe. */
export interface ProbedQuery {
  readonly k: number;
  readonly probe: Probe;
}

/**
 * Mean of a number over all queries of a kind, in all runs, with its standard error: columns of V^T Q V are trained by
 * different prompts, and so are independent.
 */
export function along(
  runs: readonly Probed[],
  kind: QueryKind,
  value: (query: ProbedQuery) => number,
): readonly (Summary & { readonly step: number })[] {
  const { settings } = runs[0]!.model.plan;
  return runs[0]!.probes.map(({ step }, i) => {
    const values = runs.flatMap(({ probes }) => queriesOf(settings, kind).map((k) => value({ k, probe: probes[i]! })));
    return { step, ...summarise(values) };
  });
}

/** Numbers that a probed query has, and the same of an exact state. */
export const quantities = {
  target: {
    probed: ({ k, probe }: ProbedQuery) => probe.logits[k]![k]!,
    exact: ({ logits }: QueryState) => logits[0]!,
  },
  dominant: {
    probed: ({ k, probe }: ProbedQuery) => probe.logits[0]![k]!,
    exact: ({ logits }: QueryState) => logits[1]!,
  },
  other: {
    probed: ({ k, probe }: ProbedQuery) => {
      const others = probe.logits.map((row) => row[k]!).filter((_, n) => n !== k && n !== 0);
      return others.reduce((sum, value) => sum + value, 0) / others.length;
    },
    exact: ({ logits }: QueryState) => logits.at(-1)!,
  },
  loss: {
    probed: ({ k, probe }: ProbedQuery) => probe.queries[k]!.loss,
    exact: ({ moments }: QueryState) => moments.loss,
  },
  ownAttention: {
    probed: ({ k, probe }: ProbedQuery) => probe.queries[k]!.attention[k]!,
    exact: ({ moments }: QueryState) => moments.attention[0]!,
  },
  dominantAttention: {
    probed: ({ k, probe }: ProbedQuery) => probe.queries[k]!.attention[0]!,
    exact: ({ moments }: QueryState) => moments.attention[1]!,
  },
} as const;
export type QuantityName = keyof typeof quantities;

const cache = new Map<string, readonly QueryState[]>();

/** Exact descent at the settings' N and eta, at ascending steps. */
export function exactStates(
  settings: Settings,
  kind: QueryKind,
  steps: readonly number[],
  nu = 1,
): readonly QueryState[] {
  const { K, p1 } = featureSettings(settings);
  const [N, eta] = [lengthOf(settings), etaOf(settings)];
  const key = JSON.stringify([K, p1, N, eta, kind, nu, steps]);
  const known = cache.get(key);
  if (known !== undefined) return known;
  const law = queryLaw({ K, p1 }, kind);
  const states = descentStates({ law, rule: finiteLengthRule(law, N, nu), eta }, steps);
  cache.set(key, states);
  return states;
}

/** Whole steps from 1 to `last`, dense where things begin and sparse later. */
export function stepGrid(last: number, count = 90): number[] {
  const steps = Array.from({ length: count }, (_, i) => Math.round(last ** (i / (count - 1))));
  const even = Array.from({ length: 60 }, (_, i) => Math.round((last * (i + 1)) / 60));
  return [...new Set([...steps, ...even])].sort((a, b) => a - b);
}

/** p_k of a query of a kind. */
export function probabilityOf(settings: Settings, kind: QueryKind): number {
  const probabilities = featureProbabilities(featureSettings(settings));
  return kind === 'rare' ? probabilities.at(-1)! : probabilities[0]!;
}

export { queryKinds };
