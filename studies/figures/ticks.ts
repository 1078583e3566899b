/** Where the ticks of an axis stand, and how their numbers are written. Knows nothing of drawing. */

/** Ticks of a logarithmic axis: 1-2-5 where there is room, else 1-3, else powers of ten, else every few of them. */
export function logTicks([low, high]: readonly [number, number], room: number): number[] {
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  const inside = (value: number) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9);
  const withMantissas = (mantissas: readonly number[], stride: number) => {
    const ticks: number[] = [];
    for (let decade = first; decade <= last; decade++) {
      if (decade % stride !== 0) continue;
      // A literal such as 1e-3 is the nearest double; 10 ** -3 need not be.
      for (const mantissa of mantissas) ticks.push(Number(`${mantissa}e${decade}`));
    }
    return ticks.filter(inside);
  };
  const choices = [withMantissas([1, 2, 5], 1), withMantissas([1, 3], 1), withMantissas([1], 1), withMantissas([1], 2)];
  return choices.find((ticks) => ticks.length <= room) ?? withMantissas([1], 4);
}

/** Ticks of a linear axis: about so many, at multiples of 1, 2 or 5 times a power of ten. */
export function linearTicks([low, high]: readonly [number, number], count: number): number[] {
  const rough = (high - low) / count;
  if (!(rough > 0)) return [low];
  const exponent = Math.floor(Math.log10(rough));
  const error = rough / 10 ** exponent;
  const mantissa = [10, 5, 2].find((_, i) => error >= [Math.sqrt(50), Math.sqrt(10), Math.SQRT2][i]!) ?? 1;
  // Whole multiples of one over the step where it is below 1: 3 / 10 is 0.3, 3 * 0.1 is not.
  const [up, down] = exponent < 0 ? [mantissa, 10 ** -exponent] : [mantissa * 10 ** exponent, 1];
  const slack = 1e-9 * (high - low);
  const first = Math.ceil(((low - slack) * down) / up);
  const last = Math.floor(((high + slack) * down) / up);
  return Array.from({ length: last - first + 1 }, (_, i) => ((first + i) * up) / down + 0);
}

/** 12 as ¹², -4 as ⁻⁴. */
const superscript = (exponent: string): string =>
  [...exponent].map((character) => (character === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(character)])).join('');

/**
 * 0.5, −2, 1000; 10⁶ and 3·10⁻⁴ for what would take more than six characters. Plot leaves most ticks of a logarithmic axis
 * without a number if it formats them itself.
 */
export function formatTick(value: number): string {
  const plain = String(Number(value.toPrecision(6)));
  const magnitude = Math.abs(value);
  if (value === 0 || (magnitude < 1e5 && magnitude >= 1e-3)) return plain.replace('-', '−');
  const [mantissa, exponent] = Number(value.toPrecision(6)).toExponential().split('e') as [string, string];
  const power = `10${superscript(exponent.replace('+', ''))}`;
  return (mantissa === '1' ? power : `${mantissa}·${power}`).replace('-', '−');
}
