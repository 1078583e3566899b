/** What the planes show of a situation and its answers: colours, lines of equal value, names. Draws nothing itself. */
import { formatTick, linearTicks } from '../../../../studies/figures/ticks.ts';
import type { PlaneAnswers } from '../../worker/methods/playground.ts';
import { type ColorMap, colorOfClass, colorOfNumber, type Palette, type Rgb } from './color-map.ts';
import { contourPath } from './geometry.ts';
import type { Pair, ResponseKind } from './pairs.ts';
import type { Contour, PlaneField, PlanePoint } from './plane.ts';
import type { Situation } from './situation.ts';

/** Answers with what they answer: they lie behind what a hand has moved since. */
export interface AnsweredPlane extends PlaneAnswers {
  readonly situation: Situation;
  /** The grid has `size * size` queries, which begin after the probe. */
  readonly size: number;
  /** Queries on the slice, which are the last, along x1 or x2. */
  readonly sliceCount: number;
  readonly axis: 0 | 1;
}

export type AnswerName = 'model' | 'comparison';

const widthOf = ({ responses }: Situation): number =>
  responses.kind === 'classes' && responses.isOneHot ? responses.values.length : 1;

/** Parts of an answer `[1 + size^2 + slice]`: at the probe, on the grid, on the slice. */
export function partsOf(answered: AnsweredPlane, values: Float32Array) {
  const width = widthOf(answered.situation);
  const gridEnd = 1 + answered.size ** 2;
  return {
    probe: values.subarray(0, width),
    grid: values.subarray(width, gridEnd * width),
    slice: values.subarray(gridEnd * width),
  };
}

/** A round number that is at least `value`. */
function niceAtLeast(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((each) => each * power).find((each) => each >= 0.999 * value)!;
}

/** The response that has the strongest colour. */
export const scaleOf = (pairs: readonly Pair[]): number =>
  niceAtLeast(Math.max(0, ...pairs.map(({ y }) => Math.abs(y))));

export function mapOf({ responses, pairs }: Pick<Situation, 'responses' | 'pairs'>): ColorMap {
  if (responses.kind === 'number') return { kind: 'diverging', scale: scaleOf(pairs) };
  return responses.isOneHot ? { kind: 'classes', count: responses.values.length } : { kind: 'two-classes' };
}

/** Differences of probabilities are drawn on this scale. */
const PROBABILITY_SCALE = 0.5;

export const differenceMapOf = (situation: Situation): ColorMap =>
  situation.responses.kind === 'number' ? mapOf(situation) : { kind: 'diverging', scale: PROBABILITY_SCALE };

export type FieldName = AnswerName | 'difference';

/** Fields that were made: lines of equal value take longer than drawing them, and a page is drawn more often than answered. */
const made = new WeakMap<AnsweredPlane, Map<FieldName, PlaneField | null>>();

/**
 * What a plane shows. `difference`: model less comparison; of three classes or more how far the two are apart, half the sum of
 * all differences. Null without a comparison.
 */
export function fieldOf(answered: AnsweredPlane, name: FieldName): PlaneField | null {
  const known = made.get(answered) ?? new Map<FieldName, PlaneField | null>();
  made.set(answered, known);
  if (!known.has(name)) known.set(name, name === 'difference' ? makeDifference(answered) : makeField(answered, name));
  return known.get(name) ?? null;
}

function makeField(answered: AnsweredPlane, which: AnswerName): PlaneField | null {
  const values = answered[which];
  if (values === null) return null;
  const { grid } = partsOf(answered, values);
  const { size, situation } = answered;
  const map = mapOf(situation);
  return { values: grid, size, map, half: situation.half, contours: contoursOf(grid, size, map) };
}

function makeDifference(answered: AnsweredPlane): PlaneField | null {
  const { model, comparison, size, situation } = answered;
  if (comparison === null) return null;
  const [a, b] = [partsOf(answered, model).grid, partsOf(answered, comparison).grid];
  const width = widthOf(situation);
  const values = Float32Array.from({ length: size * size }, (_, i) => {
    if (width === 1) return a[i]! - b[i]!;
    let sum = 0;
    for (let k = i * width; k < (i + 1) * width; k++) sum += Math.abs(a[k]! - b[k]!);
    return sum / 2;
  });
  const map = differenceMapOf(situation);
  return { values, size, map, half: situation.half, contours: width === 1 ? contoursOf(values, size, map) : [] };
}

function contoursOf(values: Float32Array, size: number, map: ColorMap): Contour[] {
  const at = (level: number, isStrong: boolean, of: ArrayLike<number> = values): Contour => ({
    path: contourPath(of, size, level),
    isStrong,
  });
  switch (map.kind) {
    case 'diverging':
      // Twice as far as the colours reach: beyond, the lines alone say how steep it is.
      return linearTicks([-2 * map.scale, 2 * map.scale], 16).map((level) => at(level, level === 0));
    case 'two-classes':
      return [at(0.1, false), at(0.5, true), at(0.9, false)];
    case 'classes':
      return Array.from({ length: map.count }, (_, k) => at(0, true, leadOf(values, map.count, k)));
  }
}

/** By how much class k is likelier than the likeliest other one. */
function leadOf(values: Float32Array, count: number, k: number): Float32Array {
  return Float32Array.from({ length: values.length / count }, (_, i) => {
    let other = 0;
    for (let j = 0; j < count; j++) if (j !== k) other = Math.max(other, values[i * count + j]!);
    return values[i * count + k]! - other;
  });
}

/** `0.8`, `−1.25`. */
export const short = (value: number): string => formatTick(Number(value.toPrecision(3)));

export const classNameOf = ({ values, isOneHot }: Extract<ResponseKind, { kind: 'classes' }>, k: number): string =>
  isOneHot ? `class ${values[k]}` : `class ${values[k]! > 0 ? '+1' : '−1'}`;

export function pointsOf({ pairs, responses }: Situation, palette: Palette): PlanePoint[] {
  const scale = scaleOf(pairs);
  return pairs.map(({ x1, x2, y }, i) => {
    const place = [x1, x2] as const;
    const name = `pair ${i + 1}: x = (${short(x1)}, ${short(x2)}), `;
    if (responses.kind === 'number') {
      const label = `y = ${short(y)}`;
      return { place, color: colorOfNumber(palette, y / scale), name: `${name}${label}`, label };
    }
    const classIndex = responses.values.indexOf(y);
    const label = classNameOf(responses, classIndex);
    return { place, color: solid(palette, classIndex), classIndex, name: `${name}${label}`, label };
  });
}

const solid = (palette: Palette, k: number): Rgb => colorOfClass(palette, k, 1.25);
