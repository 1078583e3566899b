/**
 * Shen, Zhou, Yang, Shen (2025): one layer of linear self-attention, trained to classify Gaussian mixtures in its context,
 * finds W* = c (Lambda^{-1} + G) with a small G at a linear rate, and comes as near to the true law of the label as 1/N and
 * 1/sqrt(M) allow. What is trained, what theory says about it, which figures show it.
 *
 * The printed theorems bound G. Under the rotations that their law of tasks is invariant to, G is a multiple of Lambda^{-1} for
 * every N, so that all of theory here is one number w_N, W* = w_N Lambda^{-1}: then decisions do not depend on N at all, and N
 * sets the calibration only. The paper's experimental constants are not all known; d, r and the grids below are our choice.
 */

import type { FrozenModel } from '../export/read-model.ts';
import { linearAttentionClassifier } from '../models/attention/linear-attention-classifier.ts';
import { mixtureReport } from '../models/theory/shen2024.ts';
import { papers } from './papers.ts';
import { nonNegativeSetting, numberOf, textSetting, wholeNumberSetting } from './settings.ts';
import { descentRate, ownTheory, settingOf, taskOf, variancesOf } from './shen2024/law.ts';
import type { Settings, Study, TrainingDefaults } from './study.ts';

/** Plain descent, as in the theorems; {@link descentRate} says at which rate. The loss is convex: any start will do. */
function trainingDefaults(settings: Settings): TrainingDefaults {
  const steps = 1500;
  return {
    initialisation: { scheme: 'zero', options: {} },
    steps,
    batch: 512,
    optimizer: { name: 'sgd', learningRate: descentRate(settings, steps), momentum: 0 },
    schedule: { name: 'cosine', warmup: 0, final: 0 },
    clipNorm: null,
    logEvery: 10,
    checkpointEvery: 500,
  };
}

export const shen2024: Study = {
  name: 'shen2024',
  title: 'Linear self-attention learns to classify in its context',
  paper: papers.shen2024,
  settings: [
    wholeNumberSetting('d', 'dimension of the covariates', 10),
    wholeNumberSetting('c', 'classes; two are signs, as in the paper’s binary task', 2, 2),
    nonNegativeSetting('r', 'norm of the class means in the metric Λ⁻¹', 2),
    wholeNumberSetting('N', 'pairs in each training prompt', 100),
    wholeNumberSetting('M', 'pairs in each test prompt', 'N'),
    textSetting(
      'covariance',
      'Λ of the covariates about their mean: identity, [v1,..,vd], [[..],..] or power(p)',
      'identity',
    ),
  ],
  figures: [
    {
      name: 'length',
      title: 'Longer test prompts help, down to a floor that training length sets',
      description: 'total variation and accuracy against test length for several training lengths, on the theory',
    },
    {
      name: 'floor',
      title: 'The floor falls as 1/N',
      description: 'total variation in the limit of long test prompts against training length',
    },
    {
      name: 'classes',
      title: 'More classes are harder',
      description: 'total variation and accuracy against the number of classes',
    },
    {
      name: 'rate',
      title: 'Descent converges at a linear rate',
      description: 'distance of W to its limit against steps of full-batch descent, with the predicted rates',
    },
    {
      name: 'weights',
      title: 'The learned matrix is a multiple of Λ⁻¹',
      description: 'heat map of W Λ beside w_N I',
    },
    {
      name: 'shifts',
      title: 'Which shifts it bears',
      description: 'total variation under shifts of means, class chances and covariates, on the theory',
    },
    {
      name: 'baselines',
      title: 'Beside classical classifiers',
      description: 'accuracy of the model, discriminant analysis, softmax regression and nearest neighbours',
    },
    {
      name: 'depth',
      title: 'One layer beside three',
      description:
        'total variation of the layer and of a 3-layer softmax transformer against test length and under shifts',
      isExtra: true,
    },
  ],
  leadFigure: 'length',
  cost: {
    quick: { flops: 2e11, memory: 900e6, minutes: 1.7 },
    full: {
      flops: 2e14,
      memory: 1.5e9,
      minutes: 120,
      note: 'counted, not measured; most of it is the 3-layer transformer',
    },
  },
  task: taskOf,
  model: (settings) => {
    const { dimension, classes } = taskOf(settings);
    return {
      architecture: linearAttentionClassifier,
      sizes: { dimension, options: { classes: classes === 2 ? 0 : classes } },
      contextLength: numberOf(settings, 'N'),
    };
  },
  trainingDefaults,
  theory(settings) {
    const task = taskOf(settings);
    const [N, M] = [numberOf(settings, 'N'), numberOf(settings, 'M')];
    return mixtureReport({ ...settingOf(task), N, M, variances: variancesOf(task) });
  },
  modelTheory(model: FrozenModel) {
    // The formulas are about the paper's own layer; another model that was trained on its prompts has none.
    return model.architecture.name === linearAttentionClassifier.name ? ownTheory(model) : () => null;
  },
};
