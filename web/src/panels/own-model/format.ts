/** Numbers and values as a person reads them. */

/** 6.4 kB, 12 MB: in thousands, as browsers and hosts count. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  const [size, unit] = bytes < 1e6 ? [bytes / 1e3, 'kB'] : [bytes / 1e6, 'MB'];
  return `${size < 10 ? size.toFixed(1) : size.toFixed(0)} ${unit}`;
}

/** 1.2e-6, 0.031, 157 */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  if (value === 0) return '0';
  const text = size < 1e-3 || size >= 1e6 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
  return text.replace('-', '−');
}

/** 12 345, with narrow spaces. */
export const formatCount = (count: number): string => String(count).replaceAll(/\B(?=(\d{3})+$)/g, '\u202f');

/** Longer values of a file are cut in the table. */
const longest = 600;

/** A value of a file's metadata as text. */
export function formatValue(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return text.length > longest ? `${text.slice(0, longest)} … (${formatCount(text.length)} characters)` : text;
}
