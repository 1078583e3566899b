/** Where things stand on the square plane: how much of it is shown, the grid of its queries, lines of equal value. Pure numbers. */

/** Half-widths of planes that are shown. */
const extents = [1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96] as const;

export type Place = readonly [x1: number, x2: number];

/** The smallest half-width that shows all places with a little room. */
export function extentFor(places: readonly Place[]): number {
  const farthest = Math.max(...places.flat().map(Math.abs), 0);
  return extents.find((half) => 0.95 * half >= farthest) ?? farthest * 1.1;
}

/** The next half-width, larger or smaller; the last one stays. */
export function nextExtent(half: number, step: 1 | -1): number {
  const at = extents.findIndex((each) => each >= half);
  return extents[Math.min(extents.length - 1, Math.max(0, (at < 0 ? extents.length : at) + step))]!;
}

/** `[size * size, 2]`: the centres of a grid's cells, row by row from the top left. */
export function gridOf(half: number, size: number): Float32Array {
  const centre = (i: number) => -half + ((i + 0.5) * 2 * half) / size;
  const places = new Float32Array(2 * size * size);
  for (let row = 0, at = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      places[at++] = centre(column);
      places[at++] = -centre(row);
    }
  }
  return places;
}

/** `[count, 2]`: places on the line through `probe` along one axis, from edge to edge. */
export function lineThrough([x1, x2]: Place, axis: 0 | 1, half: number, count: number): Float32Array {
  const at = (i: number) => -half + (2 * half * i) / (count - 1);
  return Float32Array.from(Array.from({ length: count }, (_, i) => (axis === 0 ? [at(i), x2] : [x1, at(i)])).flat());
}

/**
 * Marching squares: the line where a grid of values crosses a level, as the data of an SVG path in units of cells, the centre of
 * the first cell at (0.5, 0.5).
 */
export function contourPath(values: ArrayLike<number>, size: number, level: number): string {
  const parts: string[] = [];
  /** Where between two values the level lies. */
  const cut = (a: number, b: number) => (level - a) / (b - a);
  for (let row = 0; row < size - 1; row++) {
    for (let column = 0; column < size - 1; column++) {
      const at = row * size + column;
      const [a, b, c, d] = [values[at]!, values[at + 1]!, values[at + size + 1]!, values[at + size]!];
      const sides = (a > level ? 1 : 0) | (b > level ? 2 : 0) | (c > level ? 4 : 0) | (d > level ? 8 : 0);
      if (sides === 0 || sides === 15) continue;
      const [x, y] = [column + 0.5, row + 0.5];
      const crossings: [number, number][] = [];
      if (a > level !== b > level) crossings.push([x + cut(a, b), y]);
      if (b > level !== c > level) crossings.push([x + 1, y + cut(b, c)]);
      if (d > level !== c > level) crossings.push([x + cut(d, c), y + 1]);
      if (a > level !== d > level) crossings.push([x, y + cut(a, d)]);
      // Four crossings are a saddle: two lines, in either pairing.
      for (let i = 0; i + 1 < crossings.length; i += 2) {
        const [[x1, y1], [x2, y2]] = [crossings[i]!, crossings[i + 1]!];
        parts.push(`M${x1.toFixed(2)} ${y1.toFixed(2)}L${x2.toFixed(2)} ${y2.toFixed(2)}`);
      }
    }
  }
  return parts.join('');
}
