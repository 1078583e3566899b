/**
 * What `linear-systems.ts` explains where WebAssembly's SIMD is missing: in the kernel's order and to its bits, one system at a
 * time. Memory is kept from call to call.
 */
import { reflect } from './estimator.ts';
import type { LinearSolver, LinearSystems } from './linear-systems.ts';

/** A column of what is factored begins at a multiple of `stride`. */
interface Room {
  /** The columns to be factored, and y where it is reflected with them. */
  readonly x: Float64Array;
  readonly diagonals: Float64Array;
  readonly inverse: Float64Array;
  /** y and then z in its beginning, where there are fewer pairs than dimensions. */
  readonly w: Float64Array;
}

export function createPlainSolver(): LinearSolver {
  let room: Room | undefined;
  let w = new Float64Array(0);
  let conditions = new Float64Array(0);
  return (systems) => {
    const { count, rows, columns, penalty } = systems;
    if (room?.w.length !== columns || room.x.length !== (rows + columns) * (columns + 1)) {
      room = {
        x: new Float64Array((rows + columns) * (columns + 1)),
        diagonals: new Float64Array(Math.max(rows, columns)),
        inverse: new Float64Array(Math.max(rows, columns)),
        w: new Float64Array(columns),
      };
    }
    if (w.length < count * columns) w = new Float64Array(count * columns);
    if (conditions.length < count) conditions = new Float64Array(count);
    for (let b = 0; b < count; b++) {
      conditions[b] = penalty === 0 && rows < columns ? solveWide(systems, b, room) : solveTall(systems, b, room);
      w.set(room.w, b * columns);
    }
    return { w, conditions };
  };
}

/** Solves system b, which has at least as many pairs as dimensions, or a penalty. @returns The bound on the condition number. */
function solveTall({ covariates, responses, rows, columns, penalty }: LinearSystems, b: number, room: Room): number {
  const { x, diagonals } = room;
  // Above X the rows of the penalty, if there is one.
  const above = penalty > 0 ? columns : 0;
  const stride = above + rows;
  for (let i = 0; i < rows; i++) {
    const at = (b * rows + i) * columns;
    for (let j = 0; j < columns; j++) x[j * stride + above + i] = covariates[at + j]!;
    x[columns * stride + above + i] = responses[b * rows + i]!;
  }
  if (penalty > 0) factorRidge(x, rows, columns, diagonals, penalty);
  else factor(x, rows, columns, columns + 1, diagonals);
  return substitute(x, stride, columns, room);
}

/** The same where there are fewer pairs than dimensions. A row of X is a column of X^T. */
function solveWide({ covariates, responses, rows, columns }: LinearSystems, b: number, room: Room): number {
  const { x, diagonals, w } = room;
  const from = b * rows * columns;
  for (let at = 0; at < rows * columns; at++) x[at] = covariates[from + at]!;
  for (let i = 0; i < rows; i++) w[i] = responses[b * rows + i]!;
  factor(x, columns, rows, rows, diagonals);
  return extend(x, columns, rows, room);
}

function squares(x: Float64Array, start: number, end: number): number {
  let even = 0;
  let odd = 0;
  for (let at = start; at < end; at += 2) {
    even += x[at]! * x[at]!;
    if (at + 1 < end) odd += x[at + 1]! * x[at + 1]!;
  }
  return even + odd;
}

/** Reduces `columns` columns to R, its diagonal apart; those from there to `reflected` are reflected only. */
function factor(x: Float64Array, rows: number, columns: number, reflected: number, diagonals: Float64Array): void {
  for (let k = 0; k < columns; k++) {
    const start = k * rows + k;
    const end = (k + 1) * rows;
    const norm = Math.sqrt(squares(x, start, end));
    // The sign that keeps head from cancelling.
    const diagonal = x[start]! > 0 ? -norm : norm;
    const head = x[start]! - diagonal;
    x[start] = head;
    diagonals[k] = diagonal;
    const scale = -1 / (diagonal * head);
    for (let j = k + 1; j < reflected; j++) reflect(x, start, end, x, j * rows + k, scale);
  }
}

/**
 * The same of [sqrt(penalty) I; X] and [0; y], a column D + N numbers. Step k reflects column k of X and entry k of the
 * identity's onto that entry: its other rows are 0 in column k (below) or finished (above).
 */
function factorRidge(x: Float64Array, rows: number, columns: number, diagonals: Float64Array, penalty: number): void {
  const stride = columns + rows;
  const entry = Math.sqrt(penalty);
  for (let k = 0; k < columns; k++) {
    const start = k * stride + columns;
    const end = (k + 1) * stride;
    const norm = Math.sqrt(penalty + squares(x, start, end));
    const head = entry + norm;
    diagonals[k] = -norm;
    const scale = -1 / (-norm * head);
    for (let j = k + 1; j <= columns; j++) {
      x[j * stride + k] = -(head * reflect(x, start, end, x, j * stride + columns, scale));
    }
  }
}

/** Solves R w = Q^T y, y the column after the last. @returns The bound on the condition number. */
function substitute(x: Float64Array, stride: number, columns: number, { diagonals, inverse, w }: Room): number {
  let largest = 0;
  let largestInverse = 0;
  for (let k = columns - 1; k >= 0; k--) {
    const size = Math.abs(diagonals[k]!);
    let sum = x[columns * stride + k]!;
    let row = size;
    let bound = 1;
    for (let j = k + 1; j < columns; j++) {
      const entry = x[j * stride + k]!;
      sum -= entry * w[j]!;
      row += Math.abs(entry);
      bound += Math.abs(entry) * inverse[j]!;
    }
    inverse[k] = bound / size;
    w[k] = sum / diagonals[k]!;
    largest = Math.max(largest, row);
    largestInverse = Math.max(largestInverse, inverse[k]!);
  }
  return largest * largestInverse;
}

/**
 * Makes w = Q [z; 0], R^T z = y, of y at its beginning, for Q and R of X^T: `count` columns of `length` entries.
 * @returns The bound on the condition number.
 */
function extend(x: Float64Array, length: number, count: number, { diagonals, inverse, w }: Room): number {
  let largest = 0;
  let largestInverse = 0;
  for (let k = 0; k < count; k++) {
    const size = Math.abs(diagonals[k]!);
    let sum = w[k]!;
    let column = size;
    let bound = 1;
    for (let j = 0; j < k; j++) {
      const entry = x[k * length + j]!;
      sum -= entry * w[j]!;
      column += Math.abs(entry);
      bound += Math.abs(entry) * inverse[j]!;
    }
    inverse[k] = bound / size;
    w[k] = sum / diagonals[k]!;
    largest = Math.max(largest, column);
    largestInverse = Math.max(largestInverse, inverse[k]!);
  }
  w.fill(0, count);
  for (let k = count - 1; k >= 0; k--) {
    const start = k * length + k;
    reflect(x, start, (k + 1) * length, w, k, -1 / (diagonals[k]! * x[start]!));
  }
  return largest * largestInverse;
}
