/**
 * Prompts whose covariates are features: every x_i and x_q is one of K fixed vectors v_1, .., v_K, drawn independently
 * with probabilities p_k; y = <w, x> + noise with a fresh w, E[w w^T] = I.
 *
 * Source: Huang, Cheng, Liang (2024), section 2: orthonormal features, no noise; balanced p_k = Theta(1/K), or imbalanced
 * with p_1 = Theta(1) and the others Theta(1/K). Other dictionaries, noise and other queries are variants of this house.
 */
import * as v from 'valibot';
import { UsageError } from '../errors.ts';
import { fillExponentialsForPrompts, fillNormalsForPrompts } from '../random.ts';
import { nonNegative, wholeNumber } from '../schema.ts';
import { dictionarySchema, type FeatureDictionary, featureVectors } from './feature-dictionary.ts';
import type { Sampler, Task } from './task.ts';

export interface FeatureRegressionSpec {
  readonly name: 'feature-regression';
  /** D */
  readonly dimension: number;
  readonly features: FeatureDictionary;
  /** p_1, .., p_K of the context's features; they sum to 1. */
  readonly probabilities: readonly number[];
  /** Of the queries; absent: as the context's. */
  readonly queryProbabilities?: readonly number[];
  /** Law of w's independent entries, of mean 0 and variance 1: normal, or +1 and -1 with equal chances. */
  readonly taskLaw: 'gaussian' | 'rademacher';
  /** s^2, in squared response units. */
  readonly noiseVariance: number;
}

/** What is drawn for a prompt; each has its own numbers, so a longer context begins with the shorter one's pairs. */
const purposes = { taskVector: 0, features: 1, noise: 2, query: 3, queryNoise: 4 } as const;

const probabilityList = v.pipe(
  v.array(nonNegative, 'a list of probabilities'),
  v.minLength(1, 'a probability or more'),
);

const schema = v.strictObject({
  name: v.literal('feature-regression'),
  dimension: wholeNumber(1),
  features: dictionarySchema,
  probabilities: probabilityList,
  queryProbabilities: v.exactOptional(probabilityList),
  taskLaw: v.picklist(['gaussian', 'rademacher'], 'gaussian or rademacher'),
  noiseVariance: nonNegative,
});

function checkProbabilities(where: string, probabilities: readonly number[], count: number): void {
  const sum = probabilities.reduce((total, p) => total + p, 0);
  const isGood = probabilities.every((p) => p >= 0) && Math.abs(sum - 1) < 1e-9 && probabilities.length === count;
  if (isGood) return;
  throw new UsageError({
    where,
    expected: `${count} probabilities that sum to 1`,
    got: `${probabilities.length} that sum to ${sum}`,
  });
}

/** Where an exponential variable's distribution function is F, with rounding near 1 taken for 1. */
const quantile = (F: number): number => (F >= 1 - 1e-12 ? Number.POSITIVE_INFINITY : -Math.log1p(-F));

/** Entries of the table below, so many for each feature. */
const tableDensity = 16;

/**
 * Draws which feature is shown: an exponential variable E is below -log(1 - F) with probability F, so the features' shares
 * of the half-line are cut out once. A table says for each small interval of E where its search begins: on average there
 * is hardly anything left to search.
 */
function createChooser(probabilities: readonly number[]): (exponential: number) => number {
  const count = probabilities.length;
  const bounds = new Float64Array(count);
  let below = 0;
  probabilities.forEach((p, k) => {
    below += p;
    bounds[k] = k === count - 1 ? Number.POSITIVE_INFINITY : quantile(below);
  });
  const finite = bounds.filter(Number.isFinite);
  const size = tableDensity * count;
  const scale = size / (finite.at(-1) ?? 1);
  const table = Int32Array.from({ length: size + 1 }, (_, i) => bounds.findIndex((bound) => i / scale < bound));
  return (exponential) => {
    let k = table[Math.min(size, Math.floor(exponential * scale))]!;
    while (exponential >= bounds[k]!) k++;
    return k;
  };
}

/** `taskParameters` holds w: P = D. */
function createSampler(spec: FeatureRegressionSpec): Sampler {
  const { dimension, probabilities, queryProbabilities = probabilities, taskLaw, noiseVariance } = spec;
  const count = probabilities.length;
  checkProbabilities('probabilities', probabilities, count);
  checkProbabilities('queryProbabilities', queryProbabilities, count);
  const vectors = Float32Array.from(featureVectors(spec.features, count, dimension).flat());
  const choose = createChooser(probabilities);
  const chooseQuery = createChooser(queryProbabilities);
  const noiseDeviation = Math.sqrt(noiseVariance);
  /** <w, v_k> of the prompt at hand. */
  const values = new Float64Array(count);
  let draws = new Float32Array(0);

  /** Turns a prompt's draws into covariates and responses; the noise stands in `y` already. */
  function show(
    pick: (draw: number) => number,
    from: number,
    rows: number,
    x: Float32Array,
    y: Float32Array,
    at: number,
  ) {
    let target = at * dimension;
    for (let i = 0; i < rows; i++) {
      const k = pick(draws[from + i]!);
      for (let source = k * dimension, end = source + dimension; source < end; source++, target++) {
        x[target] = vectors[source]!;
      }
      y[at + i] = noiseDeviation > 0 ? values[k]! + noiseDeviation * y[at + i]! : values[k]!;
    }
  }

  return {
    dimension,
    classes: 0,
    parameterCount: dimension,
    fill(generator, first, out) {
      const { batch, context, queries, covariates, responses, query, targets, taskParameters } = out;
      const place = (purpose: number) => ({ prompt: first, purpose });
      fillNormalsForPrompts(generator, place(purposes.taskVector), batch, taskParameters, dimension);
      if (taskLaw === 'rademacher') {
        for (let i = 0; i < batch * dimension; i++) taskParameters[i] = taskParameters[i]! < 0 ? -1 : 1;
      }
      if (noiseDeviation > 0) {
        fillNormalsForPrompts(generator, place(purposes.noise), batch, responses, context);
        fillNormalsForPrompts(generator, place(purposes.queryNoise), batch, targets, queries);
      }
      const perPrompt = context + queries;
      if (draws.length < batch * perPrompt) draws = new Float32Array(batch * perPrompt);
      const shown = draws.subarray(0, batch * context);
      const asked = draws.subarray(batch * context, batch * perPrompt);
      fillExponentialsForPrompts(generator, place(purposes.features), batch, shown, context);
      fillExponentialsForPrompts(generator, place(purposes.query), batch, asked, queries);
      for (let b = 0; b < batch; b++) {
        const w = b * dimension;
        for (let k = 0; k < count; k++) {
          let sum = 0;
          for (let j = 0; j < dimension; j++) sum += vectors[k * dimension + j]! * taskParameters[w + j]!;
          values[k] = sum;
        }
        show(choose, b * context, context, covariates, responses, b * context);
        show(chooseQuery, batch * context + b * queries, queries, query, targets, b * queries);
      }
    },
  };
}

export const featureRegression: Task<FeatureRegressionSpec> = {
  name: 'feature-regression',
  description: 'y = <w, x> with a fresh w per prompt, where every x is one of K features',
  source: 'Huang, Cheng, Liang (2024), arXiv 2310.05249',
  kind: 'regression',
  schema,
  estimators: ['least-squares'],
  createSampler,
};
