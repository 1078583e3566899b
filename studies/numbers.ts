/** Numbers as tables and sentences show them. */

/** Four significant digits, exponents only where needed, a true minus sign; a dash for nothing. */
export function showNumber(value: number | null, digits = 4): string {
  if (value === null) return '–';
  if (value === 0) return '0';
  const magnitude = Math.abs(value);
  if (!Number.isFinite(value)) return String(value);
  const text =
    magnitude >= 1e6 || magnitude < 1e-3 ? value.toExponential(digits - 2) : String(Number(value.toPrecision(digits)));
  return text.replaceAll('-', '−');
}

/** z with its sign and one decimal. */
export const showZ = (z: number | null): string => {
  if (z === null) return '–';
  if (!Number.isFinite(z)) return String(z);
  const text = Math.abs(z).toFixed(1);
  return `${z < 0 && Number(text) !== 0 ? '−' : ''}${text}`;
};
