/**
 * One-layer linear self-attention (LSA).
 *
 *   f(E) = E + W^PV E (E^T W^KQ E) / rho,   E = [[x_1 .. x_N  x_q], [y_1 .. y_N  0]],   rho = N
 *
 * and the prediction is the lower right entry of f(E). Only the last row of W^PV and the first D columns of W^KQ reach
 * it, and the residual adds 0 there. Written per pair, with e_i = (x_i, y_i) and e_q = (x_q, 0):
 *
 *   prediction = (1/N) sum_{i in {1..N, q}} (e_i^T W^KQ e_q) (W^PV_last e_i)
 *
 * so that any number of queries share one context and never see one another, and no Gram matrix is formed. rho is the
 * *test* prompt's own length. Parameters: `projection_value` = W^PV and `key_query` = W^KQ, both `[D+1, D+1]`.
 *
 * Source: Zhang, Frei, Bartlett (2024), "Trained Transformers Learn Linear Models In-Context", eq. (3.3) and (3.6).
 * Shapes: B prompts, N context pairs, Q queries, D covariate dimension.
 */
import type { Architecture, InitScheme, ModelSizes, Parameters, Prompt } from '../architecture.ts';
import { lengthAlong, type Ops, positionsAlong, scale } from '../ops.ts';
import { fillNormals } from '../random.ts';
import type { Shape } from '../shape.ts';

/** What of the parameters reaches the prediction. */
interface Weights<T> {
  /** `[D, 1]` and `[1, 1]`: last row of W^PV, for the covariate and for the response of a pair; transposed. */
  readonly valueX: T;
  readonly valueY: T;
  /** `[D, D]` and `[D, 1]`: W^KQ from the covariates of a query to those of a pair, and to its response; transposed. */
  readonly keyX: T;
  readonly keyY: T;
}

function weightsOf<T>(ops: Ops<T>, parameters: Parameters<T>): Weights<T> {
  const valueRow = ops.slice(parameters['projection_value']!, 0, -1); // [1, D+1]
  const keyQueryX = ops.transpose(ops.slice(parameters['key_query']!, 1, 0, -1)); // [D, D+1]
  return {
    valueX: ops.transpose(ops.slice(valueRow, 1, 0, -1)),
    valueY: ops.slice(valueRow, 1, -1),
    keyX: ops.slice(keyQueryX, 1, 0, -1),
    keyY: ops.slice(keyQueryX, 1, -1),
  };
}

/**
 * `[B, N]`: v_i = W^PV_last e_i of each pair. Covariates and responses stay apart: joining them would copy the prompt. All
 * covariates of a batch are the rows of one product with a vector.
 */
function pairValues<T>(ops: Ops<T>, { valueX, valueY }: Weights<T>, { covariates, responses }: Prompt<T>): T {
  const fromX = ops.squeeze(ops.matMul(covariates, valueX), 2);
  return ops.add(fromX, ops.mul(responses, valueY));
}

/** What queries bring with them. */
interface Asked<T> {
  /** `[B, Q, D]` and `[B, Q, 1]`: W^KQ e_q, for the covariate and for the response of a pair. */
  readonly keysX: T;
  readonly keysY: T;
  /** `[B, Q]`: (W^KQ e_q)^T e_q W^PV_last e_q, what the query's own column adds. */
  readonly own: T;
}

function askedBy<T>(ops: Ops<T>, { valueX, keyX, keyY }: Weights<T>, query: T): Asked<T> {
  const keysX = ops.matMul(query, keyX);
  const keysY = ops.matMul(query, keyY);
  const ownScore = ops.sum(ops.mul(keysX, query), 2);
  const ownValue = ops.squeeze(ops.matMul(query, valueX), 2);
  return { keysX, keysY, own: ops.mul(ownScore, ownValue) };
}

/**
 * Summed over the pairs first, m = sum_i v_i e_i, then answered by (W^KQ e_q)^T m: two passes over a prompt, whatever the
 * number of queries.
 */
function forward<T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>): T {
  const { covariates, responses, query } = prompt;
  const weights = weightsOf(ops, parameters);
  const values = pairValues(ops, weights, prompt); // [B, N]
  const momentX = ops.matMul(ops.expandDims(values, 1), covariates); // [B, 1, D]
  const momentY = ops.expandDims(ops.sum(ops.mul(values, responses), 1), 1); // [B, 1]
  const { keysX, keysY, own } = askedBy(ops, weights, query);
  const fromX = ops.sum(ops.mul(keysX, momentX), 2); // [B, Q]
  const fromY = ops.mul(ops.squeeze(keysY, 2), momentY); // [B, Q]
  return ops.div(ops.add(ops.add(fromX, fromY), own), lengthAlong(ops, responses, 1));
}

interface Terms<T> {
  /** `[B, Q, N]`: (W^KQ e_q)^T e_i, what each pair adds to each query's prediction per unit of its value. */
  readonly scores: T;
  /** `[B, 1, N]`: value of each pair. */
  readonly values: T;
  /** `[B, Q]`: what the query's own column adds. */
  readonly own: T;
}

/** Pair by pair: where each query is answered from some of the pairs only. */
function terms<T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>): Terms<T> {
  const { covariates, responses, query } = prompt;
  const weights = weightsOf(ops, parameters);
  const { keysX, keysY, own } = askedBy(ops, weights, query);
  const fromX = ops.matMul(keysX, ops.transpose(covariates));
  const scores = ops.add(fromX, ops.mul(keysY, ops.expandDims(responses, 1))); // [B, Q, N]
  return { scores, values: ops.expandDims(pairValues(ops, weights, prompt), 1), own };
}

function prefixForward<T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>): T {
  const { scores, values, own } = terms(ops, parameters, prompt);
  // The query's own column stands before those of the pairs: entry n of the running sum has all that n pairs give.
  const running = ops.cumulativeSum(ops.concat([ops.expandDims(own, 2), ops.mul(scores, values)], 2), 2); // [B, Q, N+1]
  const perPair = ops.div(ops.constant(1), positionsAlong(ops, prompt.responses, 1)); // [N]: 1 / rho, rho = 1 .. N
  // Without any pair rho would be 0; the layer then leaves the query's empty label slot as it is.
  const none = scale(ops, ops.slice(perPair, 0, 0, 1), 0);
  return ops.transpose(ops.mul(running, ops.concat([none, perPair], 0))); // [B, N+1, Q]
}

/**
 * Every x asks as a query does, and pair j counts for x_i if j < i: the scores of the pairs with one another, N/2 times the
 * products of a single query.
 */
function sequenceForward<T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>): T {
  const { covariates, responses, query } = prompt;
  const asked = ops.concat([covariates, query], 1); // [B, N+1, D]
  const { scores, values, own } = terms(ops, parameters, { covariates, responses, query: asked });
  const places = positionsAlong(ops, asked, 1); // [N+1]: 1 .. N+1
  const isBefore = ops.less(positionsAlong(ops, responses, 1), ops.expandDims(places, 1)); // [N+1, N]
  const fromPairs = ops.squeeze(ops.matMul(ops.mul(scores, isBefore), ops.transpose(values)), 2); // [B, N+1]
  // rho = i - 1 pairs; without any the prediction is 0, see prefixForward.
  const isFirst = ops.less(places, ops.constant(1.5));
  const lengths = ops.add(ops.sub(places, ops.constant(1)), isFirst);
  return ops.mul(ops.add(fromPairs, own), ops.div(ops.sub(ops.constant(1), isFirst), lengths));
}

function parameterShapes({ dimension }: ModelSizes): Record<string, Shape> {
  return { projection_value: [dimension + 1, dimension + 1], key_query: [dimension + 1, dimension + 1] };
}

/**
 * The paper's start: W^PV = sigma e e^T (e the last unit vector), W^KQ = sigma [[Theta Theta^T, 0], [0, 0]], with
 * Theta Theta^T = M M^T / ||M M^T||_F and M standard normal. Converges if sigma^2 ||Gamma||_op sqrt(D) < 2.
 * Source: Assumption 3.3.
 */
const paper: InitScheme = {
  name: 'paper',
  description: 'sigma e e^T and sigma Theta Theta^T with a random Theta (Assumption 3.3)',
  defaults: { sigma: 0.1 },
  initialise({ dimension }, options, generator) {
    const sigma = options['sigma']!;
    const side = dimension + 1;
    const random = new Float32Array(dimension * dimension);
    fillNormals(generator, { prompt: 0, purpose: 0 }, random, 0, random.length);
    const square = new Float64Array(dimension * dimension);
    let norm = 0;
    for (let i = 0; i < dimension; i++) {
      for (let j = 0; j < dimension; j++) {
        let sum = 0;
        for (let k = 0; k < dimension; k++) sum += random[i * dimension + k]! * random[j * dimension + k]!;
        square[i * dimension + j] = sum;
        norm += sum * sum;
      }
    }
    norm = Math.sqrt(norm);
    const projectionValue = new Float32Array(side * side);
    projectionValue[side * side - 1] = sigma;
    const keyQuery = new Float32Array(side * side);
    for (let i = 0; i < dimension; i++) {
      for (let j = 0; j < dimension; j++) keyQuery[i * side + j] = (sigma * square[i * dimension + j]!) / norm;
    }
    return { projection_value: projectionValue, key_query: keyQuery };
  },
};

/** Independent normals everywhere: the start that no theorem covers and that practice uses. */
const generic: InitScheme = {
  name: 'generic',
  description: 'independent normals of standard deviation `scale` in every entry',
  defaults: { scale: 0.05 },
  initialise({ dimension }, options, generator) {
    const side = dimension + 1;
    const draw = (purpose: number): Float32Array => {
      const values = new Float32Array(side * side);
      fillNormals(generator, { prompt: 0, purpose }, values, 0, values.length);
      return values.map((value) => value * options['scale']!);
    };
    return { projection_value: draw(0), key_query: draw(1) };
  },
};

export const linearAttention = {
  name: 'linear-attention',
  description: 'one layer of linear self-attention with full W^PV and W^KQ',
  source: 'Zhang, Frei, Bartlett (2024), arXiv 2306.09927, eq. (3.3)',
  minimumContext: 1,
  initSchemes: [paper, generic],
  parameterShapes,
  forward,
  prefixForward,
  sequenceForward,
} satisfies Architecture;
