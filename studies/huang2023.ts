/**
 * Huang, Cheng, Liang (2024): one softmax attention layer, trained by gradient descent on prompts whose covariates are K
 * orthonormal features, learns to attend to the pairs that show the query's feature: at once for a feature that is common,
 * in four phases for one that is rare. What is trained, what theory says about it, which figures show it.
 *
 * The paper proves orders of magnitude; its arXiv version shows no experiment. Its dynamics follow from the model and are computed here:
 * in the limit of long prompts (mean field), and at finite N exactly. Where the paper's text could not be compared (its
 * constants 0.49 and 1.01, the wording of its assumptions), the computed dynamics are what counts.
 */

import { softmaxAttention } from '../models/attention/softmax-attention.ts';
import { UsageError } from '../models/errors.ts';
import { theoryReport } from '../models/theory/huang2023.ts';
import { defaultSteps, featureSettings, modelTheory, taskOf } from './huang2023/law.ts';
import { papers } from './papers.ts';
import { numberOf, positiveSetting, textSetting, wholeNumberSetting } from './settings.ts';
import type { Setting, Study } from './study.ts';

const dominantSetting: Setting = {
  name: 'p1',
  description: 'probability of the dominant feature; the others share the rest. balanced: 1/K',
  default: 0.5,
  parse(where, text) {
    if (text.trim() === 'balanced') return 'balanced';
    const value = Number(text);
    if (text.trim() !== '' && value > 0 && value < 1) return value;
    throw new UsageError({ where, expected: 'a probability between 0 and 1, or balanced', got: JSON.stringify(text) });
  },
};

export const huang2023: Study = {
  name: 'huang2023',
  title: 'Softmax attention learns features one after the other',
  paper: papers.huang2023,
  settings: [
    wholeNumberSetting('K', 'number of features', 20, 2),
    wholeNumberSetting('d', 'dimension of the covariates, K or more for orthonormal features', 'K'),
    wholeNumberSetting('N', 'pairs in each training prompt', 400),
    dominantSetting,
    positiveSetting('eta', 'learning rate of gradient descent', 2),
    textSetting('features', 'basis, rotation (orthonormal), equicorrelated(c) or gaussian', 'rotation'),
  ],
  figures: [
    {
      name: 'loss',
      title: 'The common feature is learned at once, the rare ones later and suddenly',
      description: 'loss per query feature along training, on the exact curves, with the late law 1/(4 p_k eta t)',
    },
    {
      name: 'attention',
      title: 'Where a query looks',
      description: 'attention on the target and on the dominant feature, with the four phases shaded',
    },
    {
      name: 'weights',
      title: 'Bilinear weights and the thresholds of the phases',
      description: 'A_k, B_{k,1} and B_{k,n} along training, beside log K and -0.49 log K',
    },
    {
      name: 'influence',
      title: 'The leading influence switches',
      description: 'alpha_k against |beta_{k,1}|: trained at K = 20, in the mean field at K = 100 and 1000',
    },
    {
      name: 'heat-maps',
      title: 'All features at the ends of the phases',
      description: 'V^T Q V and the attention of every query on every feature',
    },
    {
      name: 'time',
      title: 'Time to epsilon',
      description: 'steps until the loss is below epsilon, against K (slope 2) and against 1/epsilon (slope 1)',
    },
    {
      name: 'eta',
      title: 'Only eta t matters',
      description: 'the same dynamics at several learning rates, against eta t',
    },
    {
      name: 'order',
      title: 'Are the phases real, and can II and III swap?',
      description: 'the times of the four events against K and against p_1',
    },
    {
      name: 'shifts',
      title: 'Other lengths, other frequencies, noise',
      description: 'risk under test lengths, feature probabilities, queries and label noise, on the exact curves',
    },
    {
      name: 'variants',
      title: 'Variants of the model and of the features',
      description: 'nu other than 1, features that are not orthonormal, linear attention on the same prompts',
    },
  ],
  leadFigure: 'attention',
  cost: {
    quick: { flops: 5e10, memory: 6e8, minutes: 1 },
    full: { flops: 1e12, memory: 1.2e9, minutes: 12 },
  },
  task: taskOf,
  model: (settings) => ({
    architecture: softmaxAttention,
    sizes: { dimension: numberOf(settings, 'd') },
    contextLength: numberOf(settings, 'N'),
  }),
  // Plain descent from Q = 0 at a constant rate: the setting of the theorems, with batches for the expectation.
  trainingDefaults: (settings) => ({
    initialisation: { scheme: 'zero', options: {} },
    steps: defaultSteps(settings),
    batch: 128,
    optimizer: { name: 'sgd', learningRate: numberOf(settings, 'eta'), momentum: 0 },
    schedule: { name: 'constant' },
    clipNorm: null,
    logEvery: 10,
    checkpointEvery: 500,
  }),
  theory: (settings) =>
    theoryReport({ ...featureSettings(settings), N: numberOf(settings, 'N'), eta: numberOf(settings, 'eta') }),
  modelTheory,
};
