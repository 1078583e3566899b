/**
 * The best layer for a quadratic risk by alternating least squares: for fixed b the risk is quadratic in A, and the other way
 * round. A local search from several starts; from D = 2 on there are local minima, and its least end is an upper bound of min f.
 * Source: Ding et al. (2025), section 3.2: f~(X*) <= min f <= f(projection of X*).
 */
import { createGenerator, fillNormals, type Generator, streams } from '../../random.ts';
import { factorLayer } from './factoring.ts';
import { type LayerFactors, phi, trianglePairs } from './features.ts';
import type { QuadraticRisk } from './moments.ts';
import { minimise, riskAt, solveSemidefinite } from './quadratic.ts';

export interface BestLayer extends LayerFactors {
  readonly risk: number;
  /** Risks that the starts had come to after `screening` rounds, ascending: their spread tells of local minima. */
  readonly ends: readonly number[];
}

export interface SearchOptions {
  /** Random starts, besides the factors of X*. */
  readonly starts: number;
  /** Rounds for every start. */
  readonly screening: number;
  /** How many of the best go on. */
  readonly finalists: number;
  /** Further rounds at most. */
  readonly rounds: number;
  readonly generator: Generator;
}

export const searchDefaults: SearchOptions = {
  starts: 24,
  screening: 60,
  finalists: 3,
  rounds: 1000,
  generator: createGenerator(0, streams.theory),
};

/** A smaller fall of the risk over ten rounds ends a search. */
const SMALLEST_FALL = 1e-13;

/** The layer of least population risk that the search finds. */
export function bestLinearAttention(risk: QuadraticRisk, options: Partial<SearchOptions> = {}): BestLayer {
  const { starts, screening, finalists, rounds, generator } = { ...searchDefaults, ...options };
  const { dimension } = risk;
  const firsts = [factorLayer(minimise(risk).X, dimension).b];
  for (let start = 0; start < starts; start++) {
    const b = new Float32Array(dimension + 1);
    fillNormals(generator, { prompt: start, purpose: 0 }, b, 0, b.length);
    firsts.push([...b]);
  }
  const byRisk = (a: Descent, b: Descent) => a.risk - b.risk;
  const screened = firsts.map((b) => descend(risk, b, screening)).sort(byRisk);
  const ends = screened.map((end) => end.risk);
  const best = screened
    .slice(0, finalists)
    .map(({ b }) => descend(risk, b, rounds))
    .sort(byRisk)[0]!;
  return { ...best, ends };
}

interface Descent extends LayerFactors {
  readonly risk: number;
}

function descend(risk: QuadraticRisk, start: readonly number[], rounds: number): Descent {
  let layer = bestA(risk, start);
  let last = riskAt(risk, phi(layer));
  for (let round = 1; round <= rounds; round++) {
    layer = bestA(risk, bestB(risk, layer));
    if (round % 10 !== 0) continue;
    const now = riskAt(risk, phi(layer));
    const fall = last - now;
    last = now;
    if (fall < SMALLEST_FALL) break;
  }
  return { ...layer, risk: last };
}

/** A linear map into the enlarged space with at most two entries per row: row i is first[i] at column[i] and so on. */
interface SparseMap {
  readonly columns: number;
  readonly firstColumn: Int32Array;
  readonly first: Float64Array;
  readonly secondColumn: Int32Array;
  /** 0 where there is no second entry. */
  readonly second: Float64Array;
}

/** The least squares solution: x with M' H M x = M' h. */
function solveThrough({ H, h }: QuadraticRisk, map: SparseMap): Float64Array {
  const { columns, firstColumn, first, secondColumn, second } = map;
  const size = h.length;
  const right = new Float64Array(columns);
  const normal = new Float64Array(columns * columns);
  const row = new Float64Array(columns);
  for (let i = 0; i < size; i++) {
    row.fill(0);
    for (let j = 0, at = i * size; j < size; j++, at++) {
      const value = H[at]!;
      const [a, c] = [firstColumn[j]!, secondColumn[j]!];
      row[a] = row[a]! + value * first[j]!;
      row[c] = row[c]! + value * second[j]!;
    }
    addRow(firstColumn[i]!, first[i]!, i);
    addRow(secondColumn[i]!, second[i]!, i);
  }
  return solveSemidefinite(normal, right).x;

  function addRow(column: number, weight: number, i: number): void {
    if (weight === 0) return;
    right[column] = right[column]! + weight * h[i]!;
    const start = column * columns;
    for (let c = 0; c < columns; c++) normal[start + c] = normal[start + c]! + weight * row[c]!;
  }
}

function emptyMap(size: number, columns: number) {
  return {
    columns,
    firstColumn: new Int32Array(size),
    first: new Float64Array(size),
    secondColumn: new Int32Array(size),
    second: new Float64Array(size),
  };
}

/** The best A for a b. */
function bestA(risk: QuadraticRisk, b: readonly number[]): LayerFactors {
  const { dimension } = risk;
  const side = dimension + 1;
  const map = emptyMap(risk.h.length, dimension * side);
  for (let j = 0, i = 0; j < dimension; j++) {
    for (const [k, l] of trianglePairs(dimension)) {
      map.firstColumn[i] = j * side + l;
      map.first[i] = b[k]!;
      map.secondColumn[i] = j * side + k;
      map.second[i++] = k === l ? 0 : b[l]!;
    }
  }
  const x = solveThrough(risk, map);
  const A = Array.from({ length: side }, (_, k) => Array.from({ length: dimension }, (_, j) => x[j * side + k]!));
  return { b, A };
}

/** The best b for a layer's A, of length 1: the scale is A's. */
function bestB(risk: QuadraticRisk, { A }: LayerFactors): number[] {
  const { dimension } = risk;
  const map = emptyMap(risk.h.length, dimension + 1);
  for (let j = 0, i = 0; j < dimension; j++) {
    for (const [k, l] of trianglePairs(dimension)) {
      map.firstColumn[i] = k;
      map.first[i] = A[l]![j]!;
      map.secondColumn[i] = l;
      map.second[i++] = k === l ? 0 : A[k]![j]!;
    }
  }
  const x = solveThrough(risk, map);
  const norm = Math.hypot(...x);
  return Array.from(x, (value) => value / norm);
}
