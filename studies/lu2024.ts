/**
 * Lu, Letey, Zavatone-Veth, Maiti, Pehlevan (2025): the exact learning curves of in-context learning by linear attention, in
 * the joint limit of many dimensions, tasks and contexts. What is fitted, what theory says about it, which figures show it.
 *
 * The reduced model is linear in its parameters, and its pretraining is ridge regression: it is solved, not descended to
 * (`exactFit`). The paper's softmax networks are trained.
 */

import { UsageError } from '../models/errors.ts';
import { createGenerator, streams } from '../models/random.ts';
import { fillContextFeatures } from '../models/tasks/context-features.ts';
import { checkPhase, phaseReport } from '../models/theory/lu2024.ts';
import { fitBilinearRidge } from '../train/bilinear-ridge/fit.ts';
import { BilinearRows } from '../train/bilinear-ridge/rows.ts';
import { type Design, finiteSizes, modelTheory, phaseOf, taskOf } from './lu2024/law.ts';
import { modelNames, modelOf } from './lu2024/networks.ts';
import { papers } from './papers.ts';
import { nonNegativeSetting, numberOf, wholeNumberSetting } from './settings.ts';
import type { Setting, Settings, Study, TrainingDefaults } from './study.ts';

function positive(name: string, description: string, initial: number, isInfinityAllowed = false): Setting {
  return {
    name,
    description,
    default: initial,
    parse(where, text) {
      if (isInfinityAllowed && /^inf(inity)?$/i.test(text)) return 'inf';
      const value = Number(text);
      if (text.trim() !== '' && value > 0 && Number.isFinite(value)) return value;
      const expected = `a number above 0${isInfinityAllowed ? ', or inf' : ''}`;
      throw new UsageError({ where, expected, got: JSON.stringify(text) });
    },
  };
}

function choice(name: string, description: string, names: readonly string[]): Setting {
  return {
    name,
    description: `${description}: ${names.join(', ')}`,
    default: names[0]!,
    parse(where, text) {
      if (names.includes(text)) return text;
      throw new UsageError({ where, expected: `one of ${names.join(', ')}`, got: JSON.stringify(text) });
    },
  };
}

/** The networks' training; n contexts, seen again and again. AdamW's constants are optax's, the paper's rate is 1e-4. */
function trainingDefaults(settings: Settings): TrainingDefaults {
  const { contexts } = finiteSizes(phaseOf(settings), numberOf(settings, 'd'));
  const shared = {
    initialisation: { scheme: 'generic', options: {} },
    clipNorm: null,
    trainingPrompts: contexts,
  } as const;
  if (settings['model'] === 'reduced') {
    // One step that does it all; an engine that is asked for by name trains instead, on the same number of contexts.
    return {
      ...shared,
      steps: 1,
      batch: contexts,
      optimizer: { name: 'sgd', learningRate: 0.1, momentum: 0 },
      schedule: { name: 'constant' },
      logEvery: 1,
      checkpointEvery: 1000,
    };
  }
  return {
    ...shared,
    steps: 100_000,
    batch: Math.max(1, Math.floor(0.1 * contexts)),
    optimizer: { name: 'adamw', learningRate: 1e-4, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 1e-4 },
    schedule: { name: 'constant' },
    logEvery: 100,
    checkpointEvery: 2000,
  };
}

export const lu2024: Study = {
  name: 'lu2024',
  title: 'Linear attention: how many contexts, tasks and pairs in-context learning takes',
  paper: papers.lu2024,
  settings: [
    wholeNumberSetting('d', 'dimension of the covariates, in experiments; closed forms are its limit', 32),
    positive('tau', 'pretraining contexts n / d^2', 2),
    positive('alpha', 'context length l / d', 10),
    positive('kappa', 'pretraining tasks k / d, or inf', 0.5, true),
    nonNegativeSetting('rho', 'variance of the label noise; the signal has 1', 0.01),
    nonNegativeSetting('lambda', 'ridge of the pretraining', 1e-5),
    choice('model', 'what is pretrained', modelNames),
    choice('design', 'tasks of the pretraining contexts, each as often or drawn with replacement', [
      'balanced',
      'uniform',
    ]),
    wholeNumberSetting('bank', 'seed of the bank of pretraining tasks', 0, 0),
  ],
  figures: [
    {
      name: 'double-descent',
      title: 'Errors peak where there are as many contexts as parameters',
      description: 'Figure 1A and B: both errors against the number of contexts, drawn fits on the asymptotic curves',
    },
    {
      name: 'ridge',
      title: 'A ridge removes the peak',
      description: 'Figure 1C: the error on fresh tasks against the number of contexts, for three ridges',
    },
    {
      name: 'context-length',
      title: 'Longer contexts may hurt',
      description: 'Figure 2: errors against context length; each curve’s least point is marked where it has one',
    },
    {
      name: 'length-map',
      title: 'Where longer contexts hurt',
      description: 'Figure 3: the length from which on context hurts, over task diversity and noise',
    },
    {
      name: 'task-gap',
      title: 'From memory to learning: one task per dimension',
      description:
        'Figure 4: error on fresh less error on pretraining tasks against task diversity, beside Bayes with the bank',
    },
    {
      name: 'demo',
      title: 'The authors’ own quick figure',
      description: 'both errors and their gap against task diversity at one d, which the authors’ repository draws',
    },
    {
      name: 'finite-size',
      title: 'Finite dimensions approach the limit as 1/d',
      description: 'errors of fits against 1/d with the line that extrapolates them, and the asymptotic value at 0',
    },
    {
      name: 'networks',
      title: 'Softmax networks peak as well, and generalise over tasks as well',
      description: 'Figures 5 and 6 at a reduced size: networks of growing depth trained on n contexts, and on k tasks',
    },
  ],
  leadFigure: 'task-gap',
  cost: {
    quick: { flops: 1.2e12, memory: 6e8, minutes: 2, note: 'd = 32, and small networks, which take half of it' },
    full: {
      flops: 3e17,
      memory: 1.5e9,
      minutes: 250_000,
      note:
        'of these, linear attention at d = 100 takes 6e13 flops and about an hour; the rest are the paper’s networks (d up to 80, ' +
        '100,000 steps), a job for a GPU: name it by --device, or draw the other figures by name',
    },
  },
  task(settings) {
    checkPhase({ ...phaseOf(settings), lambda: Math.max(numberOf(settings, 'lambda'), Number.MIN_VALUE) });
    return taskOf(settings);
  },
  model(settings) {
    const d = numberOf(settings, 'd');
    const { contextLength } = finiteSizes(phaseOf(settings), d);
    return { ...modelOf(String(settings['model']), d), contextLength };
  },
  trainingDefaults,
  theory: (settings) => phaseReport(phaseOf(settings)),
  modelTheory,
  exactFit({ model, task, contextLength, batch, seed, settings }) {
    if (model.name !== 'reduced-linear-attention' || task.name !== 'linear-regression-bank') return null;
    const { dimension: d } = task;
    const design = String(settings['design'] ?? 'balanced') as Design;
    return (signal) => {
      const rows = new BilinearRows();
      rows.resize({ rows: batch, columns: d, width: d + 1 });
      const generator = createGenerator(seed, streams.training);
      fillContextFeatures({ task, contextLength, design, generator, first: 0, count: batch }, rows);
      const penalty = (batch / d) * Number(settings['lambda'] ?? 0);
      const { matrix, trainRisk, method, iterations } = fitBilinearRidge(rows, penalty, { signal });
      const detail = iterations > 0 ? `${iterations} conjugate gradients` : method;
      return { parameters: { gamma: Float32Array.from(matrix) }, loss: trainRisk / 2, detail };
    };
  },
};
