/** How states and those who answer look: colour, mark, words. States always carry their digit too. */
import { color, type Mark } from '../../../../studies/figures/theme.ts';

interface StateLook {
  readonly fill: string;
  readonly opacity: number;
}

const looks: readonly StateLook[] = [
  { fill: color.muted, opacity: 0.16 },
  { fill: color.purple, opacity: 0.42 },
  { fill: color.ochre, opacity: 0.48 },
  { fill: color.green, opacity: 0.42 },
  { fill: color.blue, opacity: 0.4 },
  { fill: color.vermilion, opacity: 0.4 },
];

/** Tints, so that ink stays legible on them in both themes. */
export const stateLook = (state: number): StateLook => looks[state % looks.length]!;

/** Who answers. */
export interface Respondent {
  /** Of its answers: a model's id or an estimator's name. */
  readonly key: string;
  readonly title: string;
  readonly color: string;
  readonly mark: Mark;
}

export const modelLooks = [
  { color: color.blue, mark: 'circle' },
  { color: color.vermilion, mark: 'square' },
] as const;

export const countsLook = {
  key: 'pooled-counts',
  title: 'pooled counts',
  color: color.green,
  mark: 'triangle',
} as const;

export const truthKey = 'known-kernel';

/** 0.62, and a true minus sign. */
export const formatAnswer = (value: number, digits = 3): string => value.toFixed(digits).replace('-', '−');
