/** Places to start from, as data: each shows one point of one paper, and says what to look at. */
import { cite, papers } from '../../../../studies/papers.ts';
import { openingValues, type PlaygroundValues } from './playground-fields.ts';

export interface Preset {
  readonly title: string;
  readonly group: string;
  /** One sentence or two: what to look at. */
  readonly look: string;
  /** What differs from the opening settings. */
  readonly values: Partial<PlaygroundValues>;
}

const zhang = `${cite(papers.zhang2023)}: linear functions`;
const huang = `${cite(papers.huang2023)}: rare features`;
const lu = `${cite(papers.lu2024)}: few training tasks`;
const shen = `${cite(papers.shen2024)}: Gaussian mixtures`;

export const presets: readonly Preset[] = [
  {
    title: 'As in training',
    group: zhang,
    look: 'One layer of linear attention reads the slope off 20 pairs, nearly right. Drag a pair far from the others and see how much it listens to one.',
    values: {},
  },
  {
    title: 'Covariates twice as long',
    group: zhang,
    look: 'All x are twice as long as in training. Least squares does not mind; the model overshoots about fourfold, since its one step of gradient descent has a fixed length.',
    values: { shift: 'covariate-scale', level: 2, compare: 'least-squares' },
  },
  {
    title: 'A query far out',
    group: zhang,
    look: 'The probe stands far outside the pairs. The prediction is still linear in the query: far out it is as right, in proportion, as near by. A query shift breaks nothing.',
    values: { probe: [[7, 5]], half: 8 },
  },
  {
    title: 'A longer prompt than in training',
    group: zhang,
    look: '200 pairs where training had 20. Linear attention gets steadier, but keeps the small shrinkage that it learned for 20 pairs.',
    values: { n: 200, compare: 'truth' },
  },
  {
    title: 'A transformer, too many pairs',
    group: zhang,
    look: 'This transformer numbers its tokens, and was trained on 20 pairs. Move the length from 20 to 40: what it has never seen makes its plane buckle.',
    values: { model: 'zhang2023-2d-transformer', n: 40 },
  },
  {
    title: 'Features early in training',
    group: huang,
    look: 'Nine pairs in ten show (1, 0). After 10 steps of training, asked at the rare (0, 1), the model still answers for the most part with what it saw at (1, 0).',
    values: { model: 'huang2023-2d-early', probe: [[0, 1]], along: 'x2', half: 2 },
  },
  {
    title: 'Features late in training',
    group: huang,
    look: 'The same training after 2000 steps: now the rare feature (0, 1) is answered with its own response.',
    values: { model: 'huang2023-2d-late', probe: [[0, 1]], along: 'x2', half: 2 },
  },
  {
    title: 'One training task',
    group: lu,
    look: 'Every prompt of its training had the same slope, this one has another. The model answers with the slope it remembers, whatever the pairs say.',
    values: { model: 'lu2024-2d-one-task', shift: 'fresh-tasks', level: 1 },
  },
  {
    title: 'A fresh task in every prompt',
    group: lu,
    look: 'The same architecture, trained on a new slope in every prompt: it has to read the slope from the pairs, and does.',
    values: { model: 'lu2024-2d' },
  },
  {
    title: 'Two classes',
    group: shen,
    look: 'The model’s boundary beside that of somebody who knows where the classes were drawn. Drag a pair across and see the line turn.',
    values: { model: 'shen2024-2d' },
  },
  {
    title: 'Classes nearer to each other',
    group: shen,
    look: 'The means are half as long as in training. The boundary stays about right; compare how sure the two are by the strength of their colours.',
    values: { model: 'shen2024-2d', shift: 'mean-scale', level: 0.5 },
  },
  {
    title: 'Classes that scatter wider',
    group: shen,
    look: 'Pairs scatter about their means with twice the variance of training. The boundary hardly moves; the model is surer than the truth.',
    values: { model: 'shen2024-2d', shift: 'covariance-factor', level: 2 },
  },
  {
    title: 'A rare class',
    group: shen,
    look: 'One pair in ten is of class +1. The true boundary moves towards the rare class; the model, which learned with equal chances, is led astray by the counts.',
    values: { model: 'shen2024-2d', shift: 'class-prior', level: 0.1 },
  },
  {
    title: 'Three classes',
    group: shen,
    look: 'Three classes and the lines where two of them are equally likely.',
    values: { model: 'shen2024-2d-three-classes' },
  },
];

/** The preset that a state is, whatever the hand has moved within it. */
export function presetOf(values: PlaygroundValues): Preset | undefined {
  const keys = ['model', 'shift', 'level', 'n'] as const;
  const fits = presets.filter((each) => keys.every((key) => values[key] === settingOf(each, key)));
  // Of several the one that also looks at the same part of the plane.
  return fits.find((each) => values.half === settingOf(each, 'half')) ?? fits[0];
}

const settingOf = <Key extends keyof PlaygroundValues>({ values }: Preset, key: Key): PlaygroundValues[Key] =>
  (values[key] ?? openingValues[key]) as PlaygroundValues[Key];
