/**
 * Markov-chain prompts: chains of D + 1 states 0 .. S-1 with a fresh kernel per prompt, which context and query share. The
 * first D states of a chain are its covariates, as raw numbers, the last is its response; so the target at the query is a
 * drawn state, not its probability.
 *
 * Rows of the kernel are independent and Dirichlet(a, .., a); a = 1 is uniform, for two states p01 and p11 uniform on [0, 1].
 * Or the kernel is given, and all prompts have it: a law to test with. A drawn number does not depend on the kernel, so a chain
 * changes only where a probability moves past it.
 * First states, independent of the kernel: `uniform`; `bernoulli`, 1 with probability p; or `squared-distance`, where the
 * context's follow the query's: x ~ Bernoulli(p), and given x each of the context's is 1 with probability (x - p)^2.
 * Source: Ding et al. (2025), section 2, Lemma C.8 and Example C.5.
 */
import * as v from 'valibot';
import { DataError, UsageError } from '../errors.ts';
import { fillExponentials, fillExponentialsForPrompts, fillNormals, type Generator } from '../random.ts';
import { finite, fraction, positive, wholeNumber } from '../schema.ts';
import type { Sampler, Task } from './task.ts';

export type ChainStart =
  | { readonly kind: 'uniform' }
  | { readonly kind: 'bernoulli'; readonly p: number }
  | { readonly kind: 'squared-distance'; readonly p: number };

export interface MarkovChainSpec {
  readonly name: 'markov-chain';
  /** D: all states of a chain but its last. */
  readonly dimension: number;
  /** S, 2 or more. */
  readonly states: number;
  /** a of the Dirichlet rows. */
  readonly concentration: number;
  /** Law of the first states; the two with a p are for two states. */
  readonly start: ChainStart;
  /**
   * k: the context is cut into k equal parts, in its order, with a kernel each; the query has the last one's. A shorter context
   * is then no longer the beginning of a longer one. Absent: 1.
   */
  readonly groups?: number;
  /** The kernel `[S, S]`, row by row, if it is not drawn; `concentration` means nothing then. */
  readonly kernel?: readonly number[];
}

export const markovChainDefaults = {
  name: 'markov-chain',
  states: 2,
  concentration: 1,
  start: { kind: 'bernoulli', p: 0.5 },
} as const;

const probability = v.pipe(
  finite,
  v.gtValue(0, 'a probability above 0 and below 1'),
  v.ltValue(1, 'a probability above 0 and below 1'),
);

const schema = v.strictObject({
  name: v.literal('markov-chain'),
  dimension: wholeNumber(1),
  states: wholeNumber(2),
  concentration: positive,
  start: v.variant(
    'kind',
    [
      v.strictObject({ kind: v.literal('uniform') }),
      v.strictObject({ kind: v.literal('bernoulli'), p: probability }),
      v.strictObject({ kind: v.literal('squared-distance'), p: probability }),
    ],
    'a start with a kind: uniform, bernoulli or squared-distance',
  ),
  groups: v.exactOptional(wholeNumber(1)),
  kernel: v.exactOptional(v.array(fraction, 'a list of probabilities')),
});

/** What is drawn for a prompt; each has its own numbers, so a longer context begins with the shorter one's chains. */
const purposes = { kernel: 0, context: 1, query: 2, kernelNormals: 3, kernelTests: 4 } as const;

/** More states or groups than this are a mistake, or a file that is not to be believed. */
const most = 1000;

/** How far a row of a given kernel may be from 1: numbers that were written with four decimals. */
const rowTolerance = 1e-3;

function validate({ dimension, states, concentration, start, groups = 1, kernel }: MarkovChainSpec): void {
  const fail = (where: string, expected: string, got: unknown) => new UsageError({ where, expected, got: String(got) });
  const isCount = (value: number, least: number, largest: number) =>
    Number.isInteger(value) && value >= least && value <= largest;
  if (!isCount(dimension, 1, Number.MAX_SAFE_INTEGER)) throw fail('d', 'a whole number, 1 or more', dimension);
  if (!isCount(states, 2, most)) throw fail('states', `a whole number from 2 to ${most}`, states);
  if (!isCount(groups, 1, most)) throw fail('groups', `a whole number from 1 to ${most}`, groups);
  if (!(concentration > 0 && Number.isFinite(concentration))) {
    throw fail('concentration', 'a number above 0', concentration);
  }
  if (kernel !== undefined) {
    if (groups !== 1) throw fail('groups', '1 where the kernel is given', groups);
    if (kernel.length !== states * states) throw fail('kernel', `${states} rows of ${states} numbers`, kernel.length);
    for (let row = 0; row < states; row++) {
      const probabilities = kernel.slice(row * states, (row + 1) * states);
      const isGood = probabilities.every((value) => value >= 0 && value <= 1);
      const sum = probabilities.reduce((total, value) => total + value, 0);
      if (!isGood || Math.abs(sum - 1) > rowTolerance) {
        throw fail(`kernel: row ${row}`, 'probabilities that sum to 1', probabilities.join(', '));
      }
    }
  }
  if (start.kind === 'uniform') return;
  if (states !== 2) throw fail('start', 'uniform for more than two states', start.kind);
  if (!(start.p > 0 && start.p < 1)) throw fail('p', 'a probability above 0 and below 1', start.p);
}

/** Where an exponential draw E begins to mean the next state: state k lies from t_{k-1} up to t_k, P(E < t_k) = P_0 + .. + P_k. */
const endAfter = (cumulative: number): number => Math.fround(cumulative >= 1 ? 200 : -Math.log1p(-cumulative));

/** Ends of the first states' law; of a start that follows the query's, two laws, by the query's first state. */
function startEnds({ start, states }: MarkovChainSpec) {
  const bernoulli = (one: number) => Float32Array.of(endAfter(1 - one));
  switch (start.kind) {
    case 'uniform': {
      const ends = Float32Array.from({ length: states - 1 }, (_, k) => endAfter((k + 1) / states));
      return { query: ends, context: [ends] };
    }
    case 'bernoulli': {
      const ends = bernoulli(start.p);
      return { query: ends, context: [ends] };
    }
    case 'squared-distance':
      return { query: bernoulli(start.p), context: [bernoulli(start.p ** 2), bernoulli((1 - start.p) ** 2)] };
  }
}

/** `taskParameters` holds the query's kernel, row by row: P = S^2. */
function createSampler(spec: MarkovChainSpec): Sampler {
  validate(spec);
  const { dimension, states, concentration, groups = 1 } = spec;
  const starts = startEnds(spec);
  const isCorrelated = starts.context.length > 1;
  const entries = states * states;
  const length = dimension + 1;
  /** Kept between batches. */
  let kernels = new Float32Array(0);
  let draws = new Float32Array(0);
  /** Ends of the rows of one prompt's kernels, `[groups, S, S - 1]`. */
  const ends = new Float32Array(groups * states * (states - 1));

  function drawKernels(generator: Generator, first: number, batch: number): void {
    const count = groups * entries;
    if (kernels.length < batch * count) kernels = new Float32Array(batch * count);
    if (spec.kernel !== undefined) {
      for (let b = 0; b < batch; b++) kernels.set(spec.kernel, b * count);
    } else if (concentration === 1) {
      fillExponentialsForPrompts(generator, { prompt: first, purpose: purposes.kernel }, batch, kernels, count);
    } else {
      for (let b = 0; b < batch; b++)
        drawGammas(generator, first + b, concentration, states, kernels, b * count, count);
    }
    for (let at = 0; at < batch * count; at += states) {
      let sum = 0;
      for (let k = at; k < at + states; k++) sum += kernels[k]!;
      for (let k = at; k < at + states; k++) kernels[k] = kernels[k]! / sum;
    }
  }

  /** The ends of prompt b's kernels, from the float32 numbers that the task's parameters show. */
  function setEnds(b: number): void {
    for (let row = 0, at = b * groups * entries, to = 0; row < groups * states; row++, at += states) {
      let cumulative = 0;
      for (let k = 0; k < states - 1; k++) {
        cumulative += kernels[at + k]!;
        ends[to++] = endAfter(cumulative);
      }
    }
  }

  const stateOf = (draw: number, table: Float32Array, at: number): number => {
    let k = 0;
    while (k < states - 1 && draw >= table[at + k]!) k++;
    return k;
  };

  /** Follows one chain from its first state; writes D states and the last. */
  function follow(
    from: number,
    first: number,
    group: number,
    x: Float32Array,
    xAt: number,
    y: Float32Array,
    yAt: number,
  ) {
    const table = group * states * (states - 1);
    let state = first;
    for (let t = 1; t < length; t++) {
      x[xAt + t - 1] = state;
      state = stateOf(draws[from + t]!, ends, table + state * (states - 1));
    }
    y[yAt] = state;
  }

  return {
    dimension,
    classes: 0,
    parameterCount: entries,
    fill(generator, first, out) {
      const { batch, context, queries, covariates, responses, query, targets, taskParameters } = out;
      const room = batch * (context + queries) * length;
      if (draws.length < room) draws = new Float32Array(room);
      const ofQueries = draws.subarray(0, batch * queries * length);
      const contextAt = ofQueries.length;
      fillExponentialsForPrompts(
        generator,
        { prompt: first, purpose: purposes.query },
        batch,
        ofQueries,
        queries * length,
      );
      const ofContext = draws.subarray(contextAt, contextAt + batch * context * length);
      fillExponentialsForPrompts(
        generator,
        { prompt: first, purpose: purposes.context },
        batch,
        ofContext,
        context * length,
      );
      drawKernels(generator, first, batch);
      for (let b = 0; b < batch; b++) {
        setEnds(b);
        const own = (b * groups + groups - 1) * entries;
        for (let k = 0; k < entries; k++) taskParameters[b * entries + k] = kernels[own + k]!;
        // Queries of one prompt share the first state where the context follows it.
        const shared = stateOf(ofQueries[b * queries * length]!, starts.query, 0);
        for (let q = b * queries; q < (b + 1) * queries; q++) {
          const state = isCorrelated ? shared : stateOf(ofQueries[q * length]!, starts.query, 0);
          follow(q * length, state, groups - 1, query, q * dimension, targets, q);
        }
        const start = starts.context[isCorrelated ? shared : 0]!;
        for (let i = 0; i < context; i++) {
          const row = b * context + i;
          const from = contextAt + row * length;
          const group = Math.floor((i * groups) / context);
          follow(from, stateOf(draws[from]!, start, 0), group, covariates, row * dimension, responses, row);
        }
      }
    },
  };
}

/** A normal and a test are drawn for so many proposals of every gamma; each is accepted with probability .95 or more. */
const PROPOSALS = 16;

/**
 * `count` gamma variables of shape a, each row of `states` divided by its largest so that tiny ones do not all become 0. In
 * log space: log G(a) = log G(a + 1) - E / a.
 * Source: Marsaglia and Tsang (2000), "A simple method for generating gamma variables".
 */
function drawGammas(
  generator: Generator,
  prompt: number,
  shape: number,
  states: number,
  out: Float32Array,
  at: number,
  count: number,
): void {
  const normals = new Float32Array(count * PROPOSALS);
  const tests = new Float32Array(count * PROPOSALS);
  const boosts = new Float32Array(count);
  fillNormals(generator, { prompt, purpose: purposes.kernelNormals }, normals, 0, normals.length);
  fillExponentials(generator, { prompt, purpose: purposes.kernelTests }, tests, 0, tests.length);
  fillExponentials(generator, { prompt, purpose: purposes.kernel }, boosts, 0, count);
  const d = shape + 1 - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  const logGamma = (i: number): number => {
    for (let j = i * PROPOSALS; j < (i + 1) * PROPOSALS; j++) {
      const z = normals[j]!;
      const cube = (1 + c * z) ** 3;
      if (cube > 0 && -tests[j]! < (z * z) / 2 + d - d * cube + d * Math.log(cube)) return Math.log(d * cube);
    }
    throw new DataError({
      where: 'markov-chain',
      expected: 'a gamma variable',
      got: `${PROPOSALS} rejected proposals`,
    });
  };
  for (let row = 0; row < count; row += states) {
    const logs = Array.from({ length: states }, (_, k) => logGamma(row + k) - boosts[row + k]! / shape);
    const largest = Math.max(...logs);
    for (let k = 0; k < states; k++) out[at + row + k] = Math.exp(logs[k]! - largest);
  }
}

export const markovChain: Task<MarkovChainSpec> = {
  name: 'markov-chain',
  description: 'the last state of a chain from those before it, with a fresh kernel per prompt',
  source: 'Ding, Lu, Lu, Nowicki, Gao (2025), arXiv 2510.18638',
  kind: 'regression',
  levels: ({ states }) => states,
  schema,
  estimators: ['zero', 'pooled-counts', 'known-kernel'],
  createSampler,
};
