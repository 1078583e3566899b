/** Each operation of `Ops` once, on a batch of covariates and responses: for tests of any reading of it. */
import { lengthAlong, type Ops, positionsAlong, scale } from '../../models/ops.ts';

/** @param x `[B, N, 3]` @param y `[B, N]`, both without zeros. */
export function everyOp<T>(ops: Ops<T>, x: T, y: T): Record<string, T> {
  const column = ops.expandDims(y, -1);
  return {
    add: ops.add(x, column),
    sub: ops.sub(column, x),
    mul: ops.mul(x, x),
    div: ops.div(x, column),
    sqrt: ops.sqrt(ops.mul(x, x)),
    exp: ops.exp(x),
    log: ops.log(ops.mul(x, x)),
    sigmoid: ops.sigmoid(scale(ops, x, 20)),
    softplus: ops.softplus(scale(ops, x, 20)),
    erf: ops.erf(x),
    erf_gate: ops.erfGate(x),
    softmax: ops.softmax(x),
    softmax_of_column: ops.softmax(column),
    log_sum_exp: ops.logSumExp(x),
    log_sum_exp_of_large: ops.logSumExp(scale(ops, x, 100)),
    normalize: ops.normalize(x, 2 ** -10),
    inverse_deviation: ops.inverseDeviation(ops.exp(x), 2 ** -10),
    minimum: ops.minimum(x, ops.constant(0.25)),
    less: ops.less(x, column),
    rows: ops.rows(x),
    rows_of_vector: ops.rows(ops.sum(x, 0)),
    mat_mul: ops.matMul(x, ops.transpose(x)),
    mat_mul_broadcast: ops.matMul(ops.slice(ops.sum(x, 0), 0, 0, 1), ops.transpose(x)),
    transpose: ops.transpose(x),
    concat: ops.concat([x, column, x], 2),
    concat_symbolic: ops.concat([x, x], -2),
    slice_from: ops.slice(x, 1, 1),
    slice_to: ops.slice(x, 2, 0, -1),
    slice_last: ops.slice(y, -1, -1),
    expand_front: ops.expandDims(y, 0),
    squeeze: ops.squeeze(ops.slice(x, 2, 1, 2), 2),
    sum: ops.sum(x, 1),
    sum_last: ops.sum(x, -1),
    mean: ops.mean(x),
    cumulative_sum: ops.cumulativeSum(x, 1),
    ones: ops.onesAlong(x, 1),
    ones_of_vector: ops.onesAlong(ops.onesAlong(y, 0), 0),
    length: lengthAlong(ops, y, 1),
    positions: positionsAlong(ops, y, -1),
    scaled: scale(ops, y, -0.5),
  };
}
