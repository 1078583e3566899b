/** Trainings worth seeing, as data: each shows its point within some twenty seconds on one processor. */
import type { VariantName } from '../../worker/training/variants.ts';

export interface Preset {
  readonly id: string;
  readonly title: string;
  /** What to look at. */
  readonly about: string;
  readonly study: string;
  readonly set: string;
  readonly variant: VariantName;
  readonly steps: number;
  readonly batch: number;
  /** Empty: the study's own. */
  readonly rate: string;
}

/** 0.5^|i - j|: neighbours are correlated, all variances are 1. */
const correlated = '[[1,.5,.25,.125],[.5,1,.5,.25],[.25,.5,1,.5],[.125,.25,.5,1]]';

export const presets: readonly Preset[] = [
  {
    id: 'gamma',
    title: 'Weights find Γ⁻¹',
    about:
      'One layer of linear attention on linear regression with correlated covariates. Its matrix moves to Γ⁻¹, which is not Λ⁻¹: the layer allows for how short its prompts are.',
    study: 'zhang2023',
    set: `d=4,N=20,covariance=${correlated}`,
    variant: 'study',
    steps: 1000,
    batch: 256,
    rate: '0.03',
  },
  {
    id: 'plane',
    title: 'For the playground',
    about: 'The same layer in the plane. Once it is trained, place points by hand and ask it.',
    study: 'zhang2023',
    set: 'd=2,N=20',
    variant: 'study',
    steps: 600,
    batch: 256,
    rate: '0.05',
  },
  {
    id: 'balanced',
    title: 'Features, equally common',
    about: 'Softmax attention on prompts of ten features. All queries learn at once to look at their own feature.',
    study: 'huang2023',
    set: 'K=10,N=100,p1=balanced,eta=1',
    variant: 'study',
    steps: 600,
    batch: 128,
    rate: '',
  },
  {
    id: 'imbalanced',
    title: 'A rare feature is learned late',
    about:
      'One feature stands in half of all pairs. Its query learns at once; a rare one must first stop looking at the dominant feature, in four phases.',
    study: 'huang2023',
    set: 'K=10,N=100,p1=0.5,eta=1',
    variant: 'study',
    steps: 600,
    batch: 128,
    rate: '',
  },
  {
    id: 'mixture',
    title: 'A classifier finds W*',
    about: 'Linear attention learns to tell two Gaussian clouds apart. W Λ becomes a multiple of the identity, w_N I.',
    study: 'shen2024',
    set: 'd=3,N=40,covariance=[2,1,.5]',
    variant: 'study',
    steps: 1500,
    batch: 256,
    rate: '',
  },
  {
    id: 'chains',
    title: 'Markov chains: one layer finds X*',
    about:
      'Linear attention predicts the next state of chains with two states. Its enlarged parameters X, which are products of its weights, move to the optimum X*.',
    study: 'ding2025',
    set: 'd=1,n=50',
    variant: 'study',
    steps: 800,
    batch: 256,
    rate: '',
  },
  {
    id: 'unrealisable',
    title: 'Longer chains: no layer is X*',
    about:
      'With two states before the one to predict, the optimum X* belongs to no layer. Training ends at the best layer’s loss, above it, and may find it at more than one X.',
    study: 'ding2025',
    set: 'd=2,n=50',
    variant: 'study',
    steps: 1000,
    batch: 256,
    rate: '',
  },
  {
    id: 'transformer',
    title: 'A small transformer',
    about:
      'Two layers of softmax attention with an MLP each, on regression in the plane. No formula says where it ends; it learns in a stair and takes longer.',
    study: 'zhang2023',
    set: 'd=2,N=20',
    variant: 'transformer',
    steps: 1500,
    batch: 64,
    rate: '',
  },
];
