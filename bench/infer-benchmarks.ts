/**
 * Inference: a frozen model answers a batch of prompts through a session, checks included, against PyTorch's bare forward
 * pass on prompts in its own memory; and the whole length curve of every prompt, against a loop over the lengths.
 */
import { exportModel } from '../export/export-model.ts';
import { type FrozenModel, readModel } from '../export/read-model.ts';
import type { ProviderName } from '../infer/providers.ts';
import { openSession } from '../infer/session-node.ts';
import { architectureNamed } from '../models/attention/index.ts';
import type { LabelledBatch } from '../models/prompts.ts';
import { allocateBatch } from '../models/prompts.ts';
import { createGenerator, streams } from '../models/random.ts';
import { createSampler } from '../models/tasks/index.ts';
import { initialState } from '../train/train.ts';
import type { Benchmark, Contestant } from './benchmark.ts';
import { peersOf } from './peer.ts';
import { configOf, type TrainingWork } from './train-benchmarks.ts';
import { countWork } from './work.ts';

export interface InferenceWork extends Omit<TrainingWork, 'steps' | 'loss'> {
  readonly queries: number;
  readonly prefixes: boolean;
  /** Whether the prompts lie in memory that threads share, as those of an evaluation do; others are copied. */
  readonly isShared: boolean;
  /** Batches per round. */
  readonly count: number;
  /** Batches that are asked for before the first of them is answered: with 2 no thread waits for the next question. */
  readonly asked: 1 | 2;
}

/** The architecture at its starting values, frozen: what it predicts does not matter here. */
export function frozenModel(work: InferenceWork): FrozenModel {
  const config = configOf({ ...work, steps: 1 });
  const { model, task } = config;
  const bytes = exportModel(
    {
      architecture: architectureNamed(model.name),
      sizes: model,
      parameters: initialState(config).parameters,
      study: 'benchmark',
      task,
      config: {},
      training: {},
    },
    { prefixes: work.prefixes },
  );
  return readModel('benchmark', bytes);
}

export function drawPrompts(work: InferenceWork, model: FrozenModel): LabelledBatch {
  const { batch, context, queries, dimension } = work;
  const prompts = allocateBatch({ batch, context, queries, dimension, isShared: work.isShared });
  createSampler(model.metadata.task).fill(createGenerator(0, streams.evaluation), 0, prompts);
  return prompts;
}

export async function inferenceContestant(work: InferenceWork, on: ProviderName = 'cpu'): Promise<Contestant> {
  const model = frozenModel(work);
  const prompts = drawPrompts(work, model);
  const session = await openSession(model, { provider: on });
  const { provider, adapter, runtime, threads, opset } = session.report;
  return {
    label: 'icl-onnx',
    settings: { provider, adapter, runtime, threads, opset, batches: work.count, asked: work.asked },
    async round() {
      const start = performance.now();
      const waiting: Promise<unknown>[] = [];
      for (let i = 0; i < work.count; i++) {
        waiting.push(session.run(prompts));
        if (waiting.length === work.asked) await waiting.shift();
      }
      await Promise.all(waiting);
      return (performance.now() - start) / work.count;
    },
    close: () => session.close(),
  };
}

interface InferenceBenchmark {
  readonly name: string;
  readonly description: string;
  readonly work: InferenceWork;
  readonly unit: string;
  readonly peer: { readonly program: string; readonly work: string; readonly count: number } | null;
}

function inferenceBenchmark({ name, description, work: whole, unit, peer }: InferenceBenchmark): Benchmark {
  return {
    name,
    description,
    async open(options) {
      const work = options.isTiny ? { ...whole, batch: 3, context: 4, dimension: 2, count: 1 } : whole;
      const { dimension, context, batch, queries, prefixes, isShared, asked } = work;
      const sizes = { dimension, context, batch, ...work.options };
      const none = { peers: [], missing: null };
      return {
        ours: await inferenceContestant(work),
        ...(peer === null ? none : await peersOf(options, { ...peer, sizes })),
        unit,
        work: countWork(frozenModel(work).graph, { batch, context, queries }),
        settings: { ...sizes, queries, prefixes, isShared, asked },
      };
    },
  };
}

export const lsa = {
  architecture: 'linear-attention',
  dimension: 20,
  context: 40,
  batch: 4096,
  queries: 1,
  prefixes: false,
  isShared: true,
  count: 100,
  asked: 2,
} as const;

export const transformer = {
  architecture: 'transformer',
  options: { layers: 3, width: 64, heads: 2 },
  dimension: 5,
  context: 20,
  batch: 64,
  queries: 1,
  prefixes: false,
  isShared: true,
  count: 20,
  asked: 2,
} as const;

export const inferBenchmarks: readonly Benchmark[] = [
  inferenceBenchmark({
    name: 'lsa-infer',
    description: 'predictions of linear self-attention for a batch, against PyTorch',
    work: lsa,
    unit: 'ms per batch',
    peer: { program: 'linear_attention', work: 'infer', count: 20 },
  }),
  inferenceBenchmark({
    name: 'lsa-infer-alone',
    description: 'the same, each batch asked for when the last is answered',
    work: { ...lsa, asked: 1 },
    unit: 'ms per batch',
    peer: { program: 'linear_attention', work: 'infer', count: 20 },
  }),
  inferenceBenchmark({
    name: 'lsa-infer-copied',
    description: 'the same for prompts in an ordinary array, which is copied to memory that goes to a thread',
    work: { ...lsa, isShared: false },
    unit: 'ms per batch',
    peer: { program: 'linear_attention', work: 'infer', count: 20 },
  }),
  inferenceBenchmark({
    name: 'length-curve',
    description:
      'its predictions at every context length 1 .. N in one pass, against a loop over the lengths in PyTorch',
    work: { ...lsa, prefixes: true },
    unit: 'ms per curve',
    peer: { program: 'linear_attention', work: 'curve', count: 1 },
  }),
  inferenceBenchmark({
    name: 'lsa-infer-queries',
    description: 'predictions of linear self-attention at 100 queries per prompt',
    work: { ...lsa, batch: 1024, queries: 100, count: 30 },
    unit: 'ms per batch',
    peer: null,
  }),
  inferenceBenchmark({
    name: 'transformer-infer',
    description: 'predictions of a GPT-style transformer, against PyTorch',
    work: transformer,
    unit: 'ms per batch',
    peer: { program: 'transformer', work: 'infer', count: 10 },
  }),
];
