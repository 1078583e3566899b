/** What each paper says about robustness, as a measurement to start from. Data only. */
import { cite, papers } from '../../../../studies/papers.ts';
import { defaultValues, type RobustnessValues } from './fields.ts';

export interface Preset {
  readonly id: string;
  readonly group: string;
  readonly title: string;
  /** What to look for. */
  readonly point: string;
  readonly values: Partial<RobustnessValues>;
}

const zhang2023 = `${cite(papers.zhang2023)}: linear regression`;
const huang2023 = `${cite(papers.huang2023)}: imbalanced features`;
const lu2024 = `${cite(papers.lu2024)}: task diversity`;
const shen2024 = `${cite(papers.shen2024)}: classification`;
const ding2025 = `${cite(papers.ding2025)}: Markov chains`;

export const presets: readonly Preset[] = [
  {
    id: 'covariate-scale',
    group: zhang2023,
    title: 'Covariates in another unit break it',
    point:
      'Linear attention has learned one step of gradient descent for covariates of unit variance. Scaled by c its error grows like (1 − c²)²; least squares and ridge do not mind.',
    values: { model: 'zhang2023-5d', vary: 'covariate-scale' },
  },
  {
    id: 'query-scale',
    group: zhang2023,
    title: 'A query further out does not',
    point:
      'Only the query is scaled. The prediction is linear in it, so the error grows with the size of the response and no faster: parallel to predicting 0.',
    values: { model: 'zhang2023-5d', vary: 'query-scale' },
  },
  {
    id: 'length',
    group: zhang2023,
    title: 'Longer prompts help, down to a floor',
    point:
      'The error falls with the number of pairs in the test prompt, also past the 20 of training, but levels off: the layer has kept what is right for 20.',
    values: { model: 'zhang2023-5d', vary: 'length', from: 5, to: 500, points: 9 },
  },
  {
    id: 'two-layers',
    group: zhang2023,
    title: 'Two layers are better, and more brittle',
    point:
      'The second layer is far better near c = 1. With covariates half as large again it is far worse than one layer.',
    values: {
      ...{ model: 'zhang2023-5d', compare: 'zhang2023-5d-two-layers', vary: 'covariate-scale' },
      ...{ from: 0.25, to: 2, points: 9, beside: 'zero' },
    },
  },
  {
    id: 'positions',
    group: zhang2023,
    title: 'A transformer past its training length',
    point:
      'Up to the 20 pairs of its training the transformer keeps up with ridge. Beyond, it stands at positions that were never trained.',
    values: {
      model: 'zhang2023-2d-transformer',
      vary: 'length',
      from: 3,
      to: 38,
      points: 8,
      beside: 'zero,ridge',
      prompts: 4000,
    },
  },
  {
    id: 'imbalance',
    group: huang2023,
    title: 'Rare features are learned late',
    point:
      'Two snapshots of one training: early, the layer answers queries of the rare feature with the common one’s responses; late, it does well whatever is asked.',
    values: {
      model: 'huang2023-2d-early',
      compare: 'huang2023-2d-late',
      vary: 'query-probability',
      beside: 'zero',
      axis: 'linear',
    },
  },
  {
    id: 'features',
    group: huang2023,
    title: 'Features with other frequencies',
    point:
      'How the error of softmax attention changes when the first feature is rarer or more frequent than in training.',
    values: { model: 'huang2023-8d', vary: 'feature-probability' },
  },
  {
    id: 'task-diversity',
    group: lu2024,
    title: 'Few pretraining tasks: memory, not learning',
    point:
      'From the tasks of pretraining (0) to fresh ones (1). The model that saw five tasks is good on those five only; the one that saw a fresh task each time does not care.',
    values: { model: 'lu2024-20d-few-tasks', compare: 'lu2024-20d', vary: 'fresh-tasks', axis: 'linear' },
  },
  {
    id: 'class-prior',
    group: shen2024,
    title: 'Classes that are not equally frequent',
    point:
      'Training had two classes of equal chance. The classifier does not read from the prompt that one is rare; Bayes knows.',
    values: { model: 'shen2024-10d', vary: 'class-prior', measure: 'error-rate', beside: 'posterior' },
  },
  {
    id: 'mean-scale',
    group: shen2024,
    title: 'Classes further apart or nearer',
    point:
      'The means are f times as long as in training: further apart is easier. The classifier stays a little above Bayes at every distance, on its exact curve.',
    values: { model: 'shen2024-10d', vary: 'mean-scale', measure: 'cross-entropy', beside: 'posterior' },
  },
  {
    id: 'covariance-factor',
    group: shen2024,
    title: 'Covariates that scatter more',
    point:
      'The means stay, the spread about them changes. Its probabilities are nearest to the true ones about the spread of training and drift away on both sides, as those of the linear discriminant do.',
    values: {
      model: 'shen2024-10d',
      vary: 'covariance-factor',
      measure: 'total-variation',
      beside: 'linear-discriminant',
    },
  },
  {
    id: 'kernel-concentration',
    group: ding2025,
    title: 'Chains nearer to certainty or to chance',
    point:
      'Kernels with rows Dirichlet(a, a); training had a = 1. Counting transitions is ahead of one layer and of four at every a.',
    values: { model: 'ding2025-one-layer', compare: 'ding2025-four-layers', vary: 'kernel-concentration' },
  },
  {
    id: 'chains-length',
    group: ding2025,
    title: 'More chains in the prompt',
    point:
      'Counting is near the true kernel with few chains already. More chains hardly help the attention layers, whose error stays well above.',
    values: { model: 'ding2025-one-layer', compare: 'ding2025-four-layers', vary: 'length', axis: 'linear' },
  },
];

/** All values of a preset: what it does not say is as in an empty link. */
export const valuesOf = ({ values }: Preset): RobustnessValues => ({ ...defaultValues, ...values });

/** How the figure is looked at does not make another measurement of it. */
const ofLooks: readonly (keyof RobustnessValues)[] = ['axis', 'band', 'seed', 'precision', 'prompts'];

/** The preset that a link stands for. @param vary What its `vary` means, which a link may leave open. */
export function presetOf(link: RobustnessValues, vary: string): Preset | undefined {
  const values = { ...link, vary };
  const keys = (Object.keys(values) as (keyof RobustnessValues)[]).filter((key) => !ofLooks.includes(key));
  return presets.find((preset) => {
    const wanted = valuesOf(preset);
    return keys.every((key) => wanted[key] === values[key]);
  });
}
