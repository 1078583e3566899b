/**
 * Colours of all figures: CSS variables with their light value as fallback, so that one SVG follows a page's scheme and
 * stands alone as well. The first series are Okabe and Ito's, told apart by any kind of colour vision; every series has its own
 * mark too, so that no figure depends on colour.
 */

interface Variable {
  readonly name: string;
  readonly light: string;
  readonly dark: string;
}

const variables = {
  blue: { name: '--icl-blue', light: '#0072b2', dark: '#59b4ef' },
  vermilion: { name: '--icl-vermilion', light: '#d55e00', dark: '#ff9350' },
  green: { name: '--icl-green', light: '#008a66', dark: '#3fcb9f' },
  purple: { name: '--icl-purple', light: '#a8528a', dark: '#e39bc5' },
  ochre: { name: '--icl-ochre', light: '#8f6a00', dark: '#e3b53c' },
  slate: { name: '--icl-slate', light: '#3b4754', dark: '#c3cbd4' },
  ink: { name: '--icl-ink', light: '#1f2328', dark: '#e8e6e1' },
  muted: { name: '--icl-muted', light: '#5d656e', dark: '#a3a9b1' },
  grid: { name: '--icl-grid', light: '#e3e5e8', dark: '#34383d' },
  paper: { name: '--icl-paper', light: '#ffffff', dark: '#16181b' },
} as const satisfies Record<string, Variable>;

export type ColorName = keyof typeof variables;

/** `var(--icl-blue, #0072b2)`, and so on. */
export const color = Object.fromEntries(
  Object.entries(variables).map(([key, { name, light }]) => [key, `var(${name}, ${light})`]),
) as Record<ColorName, string>;

export type Mark = 'circle' | 'square' | 'triangle' | 'diamond2' | 'hexagon' | 'star' | 'times';

/** Colour and mark of the first, second, .. series of a figure. */
export const series: readonly { readonly color: string; readonly mark: Mark }[] = [
  { color: color.blue, mark: 'circle' },
  { color: color.vermilion, mark: 'square' },
  { color: color.green, mark: 'triangle' },
  { color: color.purple, mark: 'diamond2' },
  { color: color.ochre, mark: 'hexagon' },
  { color: color.slate, mark: 'star' },
];

/** Series `i`; after the last the first again. */
export const seriesAt = (i: number): (typeof series)[number] => series[i % series.length]!;

/** The variables of one scheme, as the inside of a CSS rule. */
export const themeDeclarations = (scheme: 'light' | 'dark'): string =>
  Object.values(variables)
    .map((variable) => `${variable.name}:${variable[scheme]}`)
    .join(';');

/** The variables for a page: light, dark where the reader prefers it, light again on paper. */
export const themeStyle = `:root{color-scheme:light dark;${themeDeclarations('light')}}
@media screen and (prefers-color-scheme:dark){:root{${themeDeclarations('dark')}}}
.icl-figure{display:block;max-width:100%;height:auto;background:transparent}
.icl-figure text{white-space:pre}`;

/** Replaces every variable by its light value. */
export function resolveColors(svg: string): string {
  return svg.replaceAll(/var\(--icl-[a-z]+, (#[0-9a-f]{6})\)/g, '$1').replaceAll('currentColor', variables.ink.light);
}
