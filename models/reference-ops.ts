/**
 * {@link Ops} read with float64 arrays: the reference that every other reading is compared with. Also runs a whole
 * architecture on a batch of prompts, in blocks, so that memory stays small however large the batch is.
 * Knows nothing about any particular model.
 */
import { type Architecture, classAxis, classesOf, type ModelSizes, outputOf, type Parameters } from './architecture.ts';
import { errorFunction } from './error-function.ts';
import { ShapeError } from './errors.ts';
import {
  concat,
  cumulativeSum,
  elementwise,
  expandDims,
  fromFlat,
  logSumExp,
  matMul,
  type NdArray,
  rows,
  sigmoidOf,
  slice,
  softmax,
  softplusOf,
  squeeze,
  sum,
  transpose,
} from './nd-array.ts';
import { type ShapedOps, scale } from './ops.ts';
import { type PromptBatch, responseWidth, sliceBatch, validateBatch } from './prompts.ts';
import { formatShape, normalizeAxis } from './shape.ts';

export { fromFlat, type NdArray } from './nd-array.ts';

export const referenceOps: ShapedOps<NdArray> = {
  shapeOf: ({ shape }) => shape,
  constant: (value) => ({ shape: [], data: Float64Array.of(value) }),
  add: (a, b) => elementwise('add', a, b, (x, y) => x + y),
  sub: (a, b) => elementwise('sub', a, b, (x, y) => x - y),
  mul: (a, b) => elementwise('mul', a, b, (x, y) => x * y),
  div: (a, b) => elementwise('div', a, b, (x, y) => x / y),
  sqrt: (a) => ({ shape: a.shape, data: a.data.map(Math.sqrt) }),
  exp: (a) => ({ shape: a.shape, data: a.data.map(Math.exp) }),
  log: (a) => ({ shape: a.shape, data: a.data.map(Math.log) }),
  sigmoid: (a) => ({ shape: a.shape, data: a.data.map(sigmoidOf) }),
  softplus: (a) => ({ shape: a.shape, data: a.data.map(softplusOf) }),
  erf: (a) => ({ shape: a.shape, data: a.data.map(errorFunction) }),
  erfGate: (a) => ({ shape: a.shape, data: a.data.map((x) => x * (1 + errorFunction(x))) }),
  softmax,
  softMeans: (scores, values) => matMul(softmax(scores), values),
  gram: (a) => matMul(referenceOps.transpose(a), a),
  logSumExp,
  normalize(a, norm) {
    const { shape, data } = referenceOps.mul(centred(a), referenceOps.inverseDeviation(a, norm));
    return { shape, data: data.map((value) => value + norm.shift) };
  },
  inverseDeviation(a, { epsilon }) {
    const offsets = centred(a);
    const { shape, data } = meanAlongRows(referenceOps.mul(offsets, offsets));
    return { shape, data: data.map((variance) => 1 / Math.sqrt(variance + epsilon)) };
  },
  minimum: (a, b) => elementwise('minimum', a, b, Math.min),
  less: (a, b) => elementwise('less', a, b, (x, y) => (x < y ? 1 : 0)),
  matMul,
  transpose,
  concat,
  slice,
  rows,
  expandDims,
  squeeze,
  sum,
  mean: (a) => ({ shape: [], data: Float64Array.of(a.data.reduce((total, x) => total + x, 0) / a.data.length) }),
  cumulativeSum,
  onesAlong: (a, axis) => {
    const length = a.shape[normalizeAxis('onesAlong', axis, a.shape.length)]!;
    return { shape: [length], data: new Float64Array(length).fill(1) };
  },
};

/** The mean along the last axis, which becomes 1. */
function meanAlongRows(a: NdArray): NdArray {
  return scale(referenceOps, expandDims(sum(a, -1), -1), 1 / a.shape.at(-1)!);
}

const centred = (a: NdArray): NdArray => referenceOps.sub(a, meanAlongRows(a));

/** About how many numbers the covariates of one block hold: 2 MiB of float64. */
const blockNumbers = 1 << 18;

/** Runs one reading of an architecture over blocks of prompts; `perPrompt` numbers come out for each. */
function runInBlocks(
  where: string,
  architecture: Architecture,
  parameters: Readonly<Record<string, ArrayLike<number>>>,
  sizes: ModelSizes,
  prompts: PromptBatch,
  perPrompt: number,
  read: (parameters: Parameters<NdArray>, covariates: NdArray, responses: NdArray, query: NdArray) => NdArray,
): Float64Array {
  const classes = classesOf(sizes);
  const contract = { dimension: sizes.dimension, minimumContext: architecture.minimumContext, classes };
  validateBatch(where, prompts, contract);
  const weights: Record<string, NdArray> = {};
  for (const [name, shape] of Object.entries(architecture.parameterShapes(sizes))) {
    const values = parameters[name];
    if (values === undefined) {
      throw new ShapeError({ where, expected: `a parameter ${name} of shape ${formatShape(shape)}`, got: 'none' });
    }
    weights[name] = fromFlat(shape, values);
  }
  const { batch, context, queries, dimension } = prompts;
  const block = Math.max(1, Math.floor(blockNumbers / ((context + queries) * (dimension + queries + 1))));
  const out = new Float64Array(batch * perPrompt);
  for (let start = 0; start < batch; start += block) {
    const part = sliceBatch(prompts, start, Math.min(batch, start + block));
    const prediction = read(
      weights,
      fromFlat([part.batch, context, dimension], part.covariates),
      fromFlat([part.batch, context, ...classAxis(sizes)], part.responses),
      fromFlat([part.batch, queries, dimension], part.query),
    );
    out.set(prediction.data, start * perPrompt);
  }
  return out;
}

/**
 * `[B, Q]` or `[B, Q, c]` predictions in float64.
 * @throws {ShapeError} | {DataError} if the prompts or the parameters do not fit the model.
 */
export function referencePrediction(
  architecture: Architecture,
  parameters: Readonly<Record<string, ArrayLike<number>>>,
  sizes: ModelSizes,
  prompts: PromptBatch,
): Float64Array {
  return runInBlocks(
    'referencePrediction',
    architecture,
    parameters,
    sizes,
    prompts,
    prompts.queries * responseWidth(prompts),
    (weights, covariates, responses, query) =>
      architecture.forward(referenceOps, weights, { covariates, responses, query }, sizes),
  );
}

/**
 * The scores of {@link referencePrediction}, before they become probabilities.
 * @throws {ShapeError} also if the architecture's predictions are values.
 */
export function referenceScores(
  architecture: Architecture,
  parameters: Readonly<Record<string, ArrayLike<number>>>,
  sizes: ModelSizes,
  prompts: PromptBatch,
): Float64Array {
  const { logits } = architecture;
  if (logits === undefined || outputOf(architecture, sizes) === 'value') {
    const expected = 'an architecture that predicts probabilities';
    throw new ShapeError({ where: 'referenceScores', expected, got: architecture.name });
  }
  return runInBlocks(
    'referenceScores',
    architecture,
    parameters,
    sizes,
    prompts,
    prompts.queries * responseWidth(prompts),
    (weights, covariates, responses, query) => logits(referenceOps, weights, { covariates, responses, query }, sizes),
  );
}

/**
 * `[B, N + 1, Q]` or `[B, N + 1, Q, c]` predictions in float64: entry n is from the first n pairs.
 * @throws {ShapeError} also if one pass cannot give the architecture's prefixes.
 */
export function referencePrefixPrediction(
  architecture: Architecture,
  parameters: Readonly<Record<string, ArrayLike<number>>>,
  sizes: ModelSizes,
  prompts: PromptBatch,
): Float64Array {
  const { prefixForward } = architecture;
  if (prefixForward === undefined) {
    throw new ShapeError({
      where: 'referencePrefixPrediction',
      expected: 'an architecture that gives all prefixes in one pass',
      got: architecture.name,
      remedy: 'Run the lengths one by one.',
    });
  }
  return runInBlocks(
    'referencePrefixPrediction',
    architecture,
    parameters,
    sizes,
    prompts,
    (prompts.context + 1) * prompts.queries * responseWidth(prompts),
    (weights, covariates, responses, query) =>
      prefixForward(referenceOps, weights, { covariates, responses, query }, sizes),
  );
}
