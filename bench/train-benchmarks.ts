/**
 * Training: a whole run of fresh prompts, steps, records and a checkpoint, as `icl train` does it, against the same model in
 * PyTorch; and the same run on our own TensorFlow.js engine.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig, type TrainingConfig } from '../train/config.ts';
import type { DeviceName, EngineName } from '../train/engine-table.ts';
import { train } from '../train/train.ts';
import { buildTrainingStep, stepOf } from '../train/training-step.ts';
import type { Benchmark, Contestant } from './benchmark.ts';
import { peersOf } from './peer.ts';
import { countWork } from './work.ts';

export interface TrainingWork {
  readonly architecture: string;
  readonly options?: Readonly<Record<string, number>>;
  readonly dimension: number;
  readonly context: number;
  readonly batch: number;
  /** @default the architecture's own */
  readonly loss?: 'sequence-squared-error';
  /** Steps of a run, which is what a round is. */
  readonly steps: number;
  /** Steps per round of a peer, which has started long before. @default steps */
  readonly peerSteps?: number;
}

export const trainingWorks = {
  'lsa-train': {
    architecture: 'linear-attention',
    dimension: 20,
    context: 40,
    batch: 256,
    steps: 4000,
    peerSteps: 500,
  },
  'multilayer-train': {
    architecture: 'multilayer-linear-attention',
    options: { layers: 3 },
    dimension: 5,
    context: 20,
    batch: 256,
    steps: 1500,
    peerSteps: 250,
  },
  'transformer-train': {
    architecture: 'transformer',
    options: { layers: 3, width: 64, heads: 2 },
    dimension: 5,
    context: 20,
    batch: 64,
    loss: 'sequence-squared-error',
    steps: 40,
    peerSteps: 12,
  },
} as const satisfies Record<string, TrainingWork>;

/** @param engine An engine with its device; absent: what `auto` takes. */
export function configOf(
  { architecture, options, dimension, context, batch, loss, steps }: TrainingWork,
  engine?: { readonly engine: EngineName; readonly device: DeviceName },
): TrainingConfig {
  return parseConfig('benchmark', {
    study: 'benchmark',
    settings: {},
    model: { name: architecture, dimension, ...(options !== undefined && { options }) },
    task: {
      name: 'linear-regression',
      dimension,
      covariance: { kind: 'identity' },
      taskCovariance: { kind: 'identity' },
      noiseVariance: 0,
    },
    contextLength: context,
    ...(loss !== undefined && { loss: { name: loss } }),
    steps,
    batch,
    optimizer: { name: 'adam', learningRate: 1e-4 },
    schedule: { name: 'constant' },
    checkpointEvery: steps,
    ...engine,
  });
}

/** Trains a run anew in every round. All of it counts. */
export function trainingContestant(config: TrainingConfig): Contestant {
  const folder = mkdtempSync(join(tmpdir(), 'icl-bench-'));
  const settings: Record<string, unknown> = { steps: config.steps };
  return {
    label: 'icl-onnx',
    settings,
    async round() {
      const run = join(folder, 'run');
      rmSync(run, { recursive: true, force: true });
      const { seconds, engine, device, adapter, runtime } = await train({ folder: run, config });
      Object.assign(settings, { engine, device, adapter, runtime });
      return (1000 * seconds) / config.steps;
    },
    async close() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What a step must compute at least, by its own graph. */
export function workOf(config: TrainingConfig) {
  const { graph } = buildTrainingStep(stepOf(config));
  return countWork(graph, { batch: config.batch, context: config.contextLength, queries: 1 });
}

const tiny = (work: TrainingWork): TrainingWork => ({
  ...work,
  batch: 2,
  context: 3,
  dimension: 2,
  steps: 2,
  peerSteps: 2,
});

function trainingBenchmark(name: keyof typeof trainingWorks, peer: { program: string; work: string }): Benchmark {
  const whole: TrainingWork = trainingWorks[name];
  return {
    name,
    description: `a training step of ${whole.architecture} on fresh prompts, against PyTorch`,
    async open(options) {
      const work = options.isTiny ? tiny(whole) : whole;
      const { dimension, context, batch, steps, peerSteps = steps } = work;
      const config = configOf(work);
      const sizes = { dimension, context, batch, ...work.options };
      const request = { program: peer.program, sizes, work: peer.work, count: peerSteps };
      return {
        ours: trainingContestant(config),
        ...(await peersOf(options, request)),
        unit: 'ms per step',
        work: workOf(config),
        settings: { ...sizes, optimizer: 'adam', loss: config.loss.name },
      };
    },
  };
}

/** Our own two engines. The ratio is the TensorFlow.js engine's time over the ONNX engine's. */
function tfjsBenchmark(name: string, whole: TrainingWork): Benchmark {
  return {
    name,
    description: `a training step of ${whole.architecture} on our engine tfjs on wasm, against our engine onnx`,
    rounds: 5,
    async open({ isTiny }) {
      const work = isTiny ? tiny(whole) : whole;
      const { dimension, context, batch } = work;
      const slower = trainingContestant(configOf(work, { engine: 'tfjs', device: 'wasm' }));
      return {
        ours: trainingContestant(configOf(work, { engine: 'onnx', device: 'cpu' })),
        peers: [{ ...slower, label: 'icl-onnx, engine tfjs on wasm' }],
        missing: null,
        unit: 'ms per step',
        work: null,
        settings: { dimension, context, batch, ...work.options },
      };
    },
  };
}

export const trainBenchmarks: readonly Benchmark[] = [
  trainingBenchmark('lsa-train', { program: 'linear_attention', work: 'step' }),
  trainingBenchmark('multilayer-train', { program: 'multilayer_linear_attention', work: 'step' }),
  trainingBenchmark('transformer-train', { program: 'transformer', work: 'step' }),
  tfjsBenchmark('tfjs-train', { ...trainingWorks['lsa-train'], steps: 100 }),
  tfjsBenchmark('tfjs-multilayer-train', { ...trainingWorks['multilayer-train'], steps: 30 }),
  tfjsBenchmark('tfjs-transformer-train', { ...trainingWorks['transformer-train'], steps: 5 }),
];
