/**
 * Ding, Lu, Lu, Nowicki, Gao (2025): linear self-attention on binary Markov chains. What is trained, what theory says about
 * it, which figures show it.
 *
 * Where the printed paper did not survive a check, the study follows the corrected form and says so: the sign in Theorem 4.1,
 * the missing sign test in the recovery at d = 1 (Theorem 3.3), the reach of the hardness statement (Theorem 3.5), and
 * accuracies in sample that no fresh prompt can have (Figures 3 and 5).
 */

import { UsageError } from '../models/errors.ts';
import { createGenerator, streams } from '../models/random.ts';
import { sampledMinimum, theoryReport, uniformRowCeiling } from '../models/theory/ding2025.ts';
import { lengthOf, modelOf, modelTheory, taskOf } from './ding2025/law.ts';
import { papers } from './papers.ts';
import { nonNegativeSetting, numberOf, textSetting, wholeNumberSetting } from './settings.ts';
import type { Setting, Settings, Study, TrainingDefaults } from './study.ts';

/** Adam from independent normals, on fresh prompts. Deep stacks explode without the clipping. */
const trainingDefaults: TrainingDefaults = {
  initialisation: { scheme: 'generic', options: {} },
  steps: 2000,
  batch: 256,
  optimizer: { name: 'adam', learningRate: 0.02, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  schedule: { name: 'cosine', warmup: 0.05, final: 0 },
  clipNorm: 10,
  logEvery: 10,
  checkpointEvery: 500,
};

/** n, which may be infinite in closed forms. */
const chains: Setting = {
  name: 'n',
  description: 'chains in the context of each prompt; inf for closed forms',
  default: 100,
  parse: (where, text) => (/^inf(inity)?$/i.test(text) ? 'inf' : wholeNumberSetting('n', '', 100).parse(where, text)),
};

/** P(x = 1) of the first state. */
const probability: Setting = {
  name: 'p',
  description: 'probability that a chain begins with 1 (of two states; of more all are equally likely)',
  default: 0.5,
  parse(where, text) {
    const value = Number(text);
    if (text.trim() !== '' && value > 0 && value < 1) return value;
    throw new UsageError({ where, expected: 'a probability above 0 and below 1', got: JSON.stringify(text) });
  },
};

export const ding2025: Study = {
  name: 'ding2025',
  title: 'Linear self-attention learns Markov chains in its context, up to what it can realise',
  paper: papers.ding2025,
  settings: [
    wholeNumberSetting('d', 'states of a chain before the one to predict', 2),
    chains,
    probability,
    wholeNumberSetting('S', 'number of states, as raw numbers 0 .. S-1', 2, 2),
    nonNegativeSetting('alpha', 'kernel rows are Dirichlet(alpha, .., alpha); 1: uniform', 1),
    textSetting(
      'start',
      'first states of the context: independent, or squared-distance from the query’s',
      'independent',
    ),
    wholeNumberSetting('groups', 'equal parts of the context with a kernel each; the query has the last one’s', 1),
    wholeNumberSetting('L', 'layers', 1),
    textSetting('form', 'model: sparse (b and A per layer), dense (P and Q) or transformer', 'sparse'),
  ],
  figures: [
    {
      name: 'depth',
      title: 'Depth helps, and most of it in sample',
      description:
        'accuracy against layers for 2, 3 and 4 states, in sample and on fresh prompts, below the known kernel',
    },
    {
      name: 'gap',
      title: 'One layer against least squares on its features, by chain length',
      description: 'error and accuracy against d in sample and fresh, with the least risk and the best layer’s',
    },
    {
      name: 'realisability',
      title: 'What one layer can realise',
      description: 'the gap f* - f~* against d and, at d = 1, against n; separability instances of the hardness proof',
    },
    {
      name: 'forms',
      title: 'Dense and sparse layers are the same',
      description: 'exact risk along gradient descent of both forms at d = 1, with the least risk',
    },
    {
      name: 'curvature',
      title: 'X* is the minimum in every direction',
      description: 'risk along six coordinates of the enlarged parameters around X*, measured on the exact parabolas',
    },
    {
      name: 'objectives',
      title: 'Layers descend on several objectives',
      description: 'R1, R2 and the distance to the Pareto front of R1 along ten trained layers',
    },
    {
      name: 'attention',
      title: 'Attention finds chains of the same kernel',
      description: 'attention maps of a small transformer on contexts in k groups, beside the similarity of the chains',
    },
  ],
  leadFigure: 'gap',
  cost: {
    quick: { flops: 5e11, memory: 1e9, minutes: 2.5 },
    full: { flops: 3e13, memory: 2e9, minutes: 60 },
  },
  task: taskOf,
  model: modelOf,
  trainingDefaults: () => trainingDefaults,
  theory: (settings) => theoryOf(settings),
  modelTheory,
};

/** Closed forms where there are some; of more than two states the least risk by Monte Carlo over kernels (Lemma C.8). */
function theoryOf(settings: Settings) {
  const { states, concentration, start, groups = 1 } = taskOf(settings);
  const [d, n] = [numberOf(settings, 'd'), lengthOf(settings)];
  if (concentration !== 1 || groups !== 1) {
    throw new UsageError({
      where: 'theory',
      expected: 'alpha=1 and groups=1, which the closed forms are about',
      got: `alpha=${concentration}, groups=${groups}`,
    });
  }
  if (states > 2) {
    const { risk, standardError } = sampledMinimum({ d, states }, n, createGenerator(0, streams.theory));
    return {
      riskMinimum: risk,
      riskMinimumStandardError: standardError,
      uniformRowAccuracy: uniformRowCeiling(states),
    };
  }
  return theoryReport({ d, p: numberOf(settings, 'p'), n, areStartsCorrelated: start.kind === 'squared-distance' });
}
