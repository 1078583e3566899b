/**
 * Small models of all studies that are trained once and kept: what each is trained on and how. Data only; whoever shows them
 * has the words, `scripts/build-lab-models.ts` makes the files.
 */
import type { TrainingOverrides } from './pipeline.ts';

/** How a model is made from its study: every choice that is not the study's own. */
export interface Recipe {
  /** Key of the study. */
  readonly study: string;
  /** Settings as `--set` takes them. */
  readonly settings: string;
  readonly overrides?: TrainingOverrides;
}

const adam = (learningRate: number) =>
  ({ name: 'adam', learningRate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }) as const;

/** A GPT-style transformer on linear regression, trained on every position of its prompts. */
const transformer2d = (positions: 0 | 1): Recipe => ({
  study: 'zhang2023',
  settings: 'd=2,N=20,noiseVariance=0.1',
  overrides: {
    model: {
      name: 'transformer',
      dimension: 2,
      options: { layers: 3, width: 24, heads: 2, positions, maxContext: 40 },
    },
    initialisation: { scheme: 'fan-in', options: {} },
    loss: { name: 'sequence-squared-error' },
    optimizer: adam(4e-3),
    schedule: { name: 'cosine', warmup: 0.05, final: 0.01 },
    ...{ steps: 8000, batch: 64, clipNorm: 1, logEvery: 100 },
  },
});

/** Two features in the plane, of which one is in nine pairs of ten. */
const imbalanced = 'K=2,N=40,p1=0.9,features=basis';

export const recipes = {
  'zhang2023-2d': { study: 'zhang2023', settings: 'd=2,N=20' },
  'zhang2023-2d-noise': { study: 'zhang2023', settings: 'd=2,N=20,noiseVariance=4' },
  'zhang2023-2d-transformer': transformer2d(1),
  'zhang2023-5d': { study: 'zhang2023', settings: 'd=5,N=20' },
  'zhang2023-5d-two-layers': {
    study: 'zhang2023',
    settings: 'd=5,N=20',
    overrides: {
      model: { name: 'multilayer-linear-attention', dimension: 5, options: { layers: 2, outputSign: -1 } },
      initialisation: { scheme: 'gradient-descent', options: { rate: 0.2 } },
      optimizer: adam(3e-3),
      ...{ steps: 4000, clipNorm: 1 },
    },
  },
  'huang2023-2d': { study: 'huang2023', settings: 'K=2,N=40,p1=balanced,features=basis', overrides: { steps: 1000 } },
  // The same descent, looked at twice: after 10 steps a query of the rare feature still looks at the common one.
  'huang2023-2d-early': { study: 'huang2023', settings: imbalanced, overrides: { steps: 10 } },
  'huang2023-2d-late': { study: 'huang2023', settings: imbalanced, overrides: { steps: 2000 } },
  'huang2023-8d': { study: 'huang2023', settings: 'K=8,N=100', overrides: { steps: 2000 } },
  'lu2024-2d-one-task': { study: 'lu2024', settings: 'd=2,tau=25000,alpha=10,kappa=0.5' },
  'lu2024-2d': { study: 'lu2024', settings: 'd=2,tau=25000,alpha=10,kappa=inf' },
  'lu2024-20d-few-tasks': { study: 'lu2024', settings: 'd=20,tau=20,alpha=2,kappa=0.25' },
  'lu2024-20d': { study: 'lu2024', settings: 'd=20,tau=20,alpha=2,kappa=inf' },
  'shen2024-2d': { study: 'shen2024', settings: 'd=2,N=40' },
  'shen2024-2d-three-classes': { study: 'shen2024', settings: 'd=2,c=3,N=40' },
  'shen2024-10d': { study: 'shen2024', settings: 'd=10' },
  'ding2025-one-layer': { study: 'ding2025', settings: 'L=1' },
  'ding2025-four-layers': { study: 'ding2025', settings: 'L=4' },
  'ding2025-three-states-one-layer': { study: 'ding2025', settings: 'S=3,L=1' },
  'ding2025-three-states-four-layers': { study: 'ding2025', settings: 'S=3,L=4' },
} as const satisfies Readonly<Record<string, Recipe>>;

/** Names of the models, each of a file `<id>.onnx`. */
export type ModelId = keyof typeof recipes;
