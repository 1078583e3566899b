/**
 * Predictions as colours. Numbers: vermilion above 0, blue below, paper at 0. Classes: the likeliest class's own colour, stronger
 * where it is surer. Told apart by any kind of colour vision; classes have marks of their own besides.
 */
import type { Mark } from '../../../../studies/figures/theme.ts';

export type Rgb = readonly [red: number, green: number, blue: number];

/** The theme's colours as numbers. */
export interface Palette {
  readonly paper: Rgb;
  readonly below: Rgb;
  readonly above: Rgb;
  /** In the order of a prediction's probabilities. */
  readonly classes: readonly Rgb[];
}

/** Marks of the classes, in the same order. */
export const classMarks: readonly Mark[] = ['circle', 'square', 'triangle', 'diamond2', 'hexagon', 'star'];

const classNames = ['blue', 'vermilion', 'green', 'purple', 'ochre', 'slate'] as const;

/** @param read The value of a CSS variable, `#rrggbb`. */
export function paletteFrom(read: (variable: string) => string): Palette {
  const rgb = (name: string): Rgb => {
    const hex = read(`--icl-${name}`).trim();
    return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as unknown as Rgb;
  };
  return {
    paper: rgb('paper'),
    below: rgb('blue'),
    above: rgb('vermilion'),
    classes: classNames.map(rgb),
  };
}

/** What a field of predictions is, and how it is coloured. */
export type ColorMap =
  /** One number per place; `scale` has the strongest colour. */
  | { readonly kind: 'diverging'; readonly scale: number }
  /** One number per place, the probability of the second of two classes. */
  | { readonly kind: 'two-classes' }
  /** A probability for each class. */
  | { readonly kind: 'classes'; readonly count: number };

/** Opacity of the strongest colour: contours and points must stand out on it. */
const STRONGEST = 0.8;
const FAINTEST_CLASS = 0.1;

const mix = (paper: Rgb, over: Rgb, strength: number): Rgb => [
  Math.round(paper[0] + (over[0] - paper[0]) * strength),
  Math.round(paper[1] + (over[1] - paper[1]) * strength),
  Math.round(paper[2] + (over[2] - paper[2]) * strength),
];

/** The colour of place `at` of a field. */
export function colorAt(palette: Palette, map: ColorMap, values: ArrayLike<number>, at: number): Rgb {
  switch (map.kind) {
    case 'diverging':
      return colorOfNumber(palette, values[at]! / map.scale);
    case 'two-classes': {
      const p = values[at]!;
      return p > 0.5 ? colorOfClass(palette, 1, 2 * p - 1) : colorOfClass(palette, 0, 1 - 2 * p);
    }
    case 'classes': {
      const { count } = map;
      let best = 0;
      for (let k = 1; k < count; k++) if (values[at * count + k]! > values[at * count + best]!) best = k;
      return colorOfClass(palette, best, (values[at * count + best]! - 1 / count) / (1 - 1 / count));
    }
  }
}

/** @param share Of the scale, -1 to 1; what is beyond has the strongest colour. */
export function colorOfNumber({ paper, below, above }: Palette, share: number): Rgb {
  return mix(paper, share > 0 ? above : below, STRONGEST * Math.min(1, Math.abs(share)));
}

/** @param sureness 0: as likely as the others; 1: certain. */
export function colorOfClass({ paper, classes }: Palette, k: number, sureness: number): Rgb {
  return mix(paper, classes[k % classes.length]!, FAINTEST_CLASS + (STRONGEST - FAINTEST_CLASS) * sureness);
}

/** `size * size` pixels, red, green, blue and opacity each. */
export function paint(palette: Palette, map: ColorMap, values: ArrayLike<number>, size: number): Uint8ClampedArray {
  const pixels = new Uint8ClampedArray(4 * size * size);
  for (let at = 0; at < size * size; at++) {
    const [red, green, blue] = colorAt(palette, map, values, at);
    pixels[4 * at] = red;
    pixels[4 * at + 1] = green;
    pixels[4 * at + 2] = blue;
    pixels[4 * at + 3] = 255;
  }
  return pixels;
}

export const hexOf = (color: Rgb): string => `#${color.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
