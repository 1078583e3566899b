/** Every architecture at small sizes, with parameters that are all far from 0: for tests of any reading of them. */
import { type Architecture, classesOf, type ModelSizes, outputOf, resolveSizes } from '../../../models/architecture.ts';
import { linearAttention } from '../../../models/attention/linear-attention.ts';
import { linearAttentionClassifier } from '../../../models/attention/linear-attention-classifier.ts';
import { multilayerLinearAttention } from '../../../models/attention/multilayer-linear-attention.ts';
import { pairedTransformer } from '../../../models/attention/paired-transformer.ts';
import { reducedLinearAttention } from '../../../models/attention/reduced-linear-attention.ts';
import { softmaxAttention } from '../../../models/attention/softmax-attention.ts';
import { sparseLinearAttention } from '../../../models/attention/sparse-linear-attention.ts';
import { stackedAttention } from '../../../models/attention/stacked-attention.ts';
import { drawNormals } from '../../../models/attention/starting-values.ts';
import { transformer } from '../../../models/attention/transformer.ts';
import {
  allocateBatch,
  type BatchSizes,
  type LabelledBatch,
  type PromptBatch,
  responseWidth,
} from '../../../models/prompts.ts';
import { createGenerator } from '../../../models/random.ts';
import { createSampler, type TaskSpec } from '../../../models/tasks/index.ts';

export interface Variant {
  readonly name: string;
  readonly architecture: Architecture;
  readonly sizes: ModelSizes;
  /** Prompts that it can be asked. */
  readonly task: TaskSpec;
  readonly parameters: Record<string, Float32Array>;
}

export const regression = (dimension: number) =>
  ({
    name: 'linear-regression',
    dimension,
    covariance: { kind: 'identity' },
    taskCovariance: { kind: 'identity' },
    noiseVariance: 0.5,
  }) as const;

const classification = (dimension: number, classes: number) =>
  ({
    name: 'gaussian-mixture',
    dimension,
    classes: classes === 0 ? 2 : classes,
    labels: classes === 0 ? 'signs' : 'one-hot',
    covariance: { kind: 'identity' },
    radius: 1.5,
  }) as const;

const taskOf = (architecture: Architecture, sizes: ModelSizes): TaskSpec =>
  outputOf(architecture, sizes) === 'value'
    ? regression(sizes.dimension)
    : classification(sizes.dimension, classesOf(sizes));

function variant(architecture: Architecture, dimension: number, options: Record<string, number>, by: number): Variant {
  const given = Object.entries(options).map(([key, value]) => `, ${key} ${value}`);
  const sizes = resolveSizes('test', architecture, { dimension, ...(architecture.sizeOptions && { options }) });
  const generator = createGenerator(5, 2);
  const parameters = Object.entries(architecture.parameterShapes(sizes)).map(([name, shape], i) => {
    const values = drawNormals(generator, i, shape, by);
    return [name, /^norm(\d_\d+)?$|_gain$/.test(name) ? values.map((value) => 1 + value) : values] as const;
  });
  return {
    name: `${architecture.name}, dimension ${dimension}${given.join('')}`,
    architecture,
    sizes,
    task: taskOf(architecture, sizes),
    parameters: Object.fromEntries(parameters),
  };
}

const small = { width: 6, heads: 2, maxContext: 9 };

export const softmaxVariants = [
  ...[1, 3].map((dimension) => variant(softmaxAttention, dimension, {}, 0.7)),
  variant(softmaxAttention, 3, { valueWeight: 0.6 }, 0.7),
  variant(softmaxAttention, 2, { trainedValue: 1 }, 0.7),
];
export const reducedVariants = [1, 3].map((dimension) => variant(reducedLinearAttention, dimension, {}, 0.5));
export const multilayerVariants = [
  variant(multilayerLinearAttention, 3, { layers: 3 }, 0.3),
  variant(multilayerLinearAttention, 1, { layers: 1, outputSign: 1 }, 0.7),
  variant(multilayerLinearAttention, 5, { layers: 2 }, 0.2),
];
export const sparseVariants = [
  variant(sparseLinearAttention, 3, { layers: 3 }, 0.3),
  variant(sparseLinearAttention, 2, { layers: 1, outputSign: -1 }, 0.7),
];
export const transformerVariants = [
  variant(transformer, 3, { ...small, layers: 2 }, 0.4),
  variant(transformer, 1, { ...small, layers: 1, heads: 1, maxContext: 3 }, 0.4),
  variant(transformer, 2, { ...small, layers: 2, positions: 0 }, 0.4),
  variant(transformer, 2, { ...small, layers: 2, preNorm: 0 }, 0.4),
];
export const transformerClassifiers = [
  variant(transformer, 2, { ...small, layers: 2, classes: 4 }, 0.4),
  variant(transformer, 3, { ...small, layers: 1, signs: 1 }, 0.4),
];
export const pairedVariants = [
  variant(pairedTransformer, 3, { ...small, layers: 3 }, 0.4),
  variant(pairedTransformer, 1, { ...small, layers: 2, positions: 1, maxContext: 3 }, 0.4),
  variant(pairedTransformer, 2, { ...small, layers: 2, heads: 3, preNorm: 0, causal: 1 }, 0.4),
];
export const pairedClassifiers = [
  variant(pairedTransformer, 3, { ...small, layers: 2, classes: 4 }, 0.4),
  variant(pairedTransformer, 2, { ...small, layers: 1, signs: 1 }, 0.4),
];
export const stackedVariants = [
  variant(stackedAttention, 3, { blocks: 2 }, 0.4),
  variant(stackedAttention, 2, { blocks: 0 }, 0.4),
];
export const classifierVariants = [
  variant(linearAttentionClassifier, 3, {}, 0.5),
  variant(linearAttentionClassifier, 2, { classes: 4 }, 0.7),
  variant(linearAttentionClassifier, 3, { full: 1 }, 0.5),
  variant(linearAttentionClassifier, 2, { classes: 3, full: 1 }, 0.6),
];
/** One layer of linear attention, which is not among {@link variants}: its own tests are older than they. */
export const linearVariant = variant(linearAttention, 3, {}, 0.5);
export const variants = [
  ...reducedVariants,
  ...softmaxVariants,
  ...multilayerVariants,
  ...sparseVariants,
  ...transformerVariants,
  ...transformerClassifiers,
  ...pairedVariants,
  ...stackedVariants,
  ...pairedClassifiers,
  ...classifierVariants,
];

type Lengths = Pick<BatchSizes, 'batch' | 'context' | 'queries'>;

/** Prompts of linear regression, or of another task. */
export function drawPrompts(sizes: BatchSizes, seed = 5, task: TaskSpec = regression(sizes.dimension)): LabelledBatch {
  const sampler = createSampler(task);
  const prompts = allocateBatch({ ...sizes, ...sampler });
  sampler.fill(createGenerator(seed, 1), 0, prompts);
  return prompts;
}

/** Prompts that a variant can be asked. */
export const drawPromptsFor = ({ task }: Pick<Variant, 'task'>, lengths: Lengths, seed?: number): LabelledBatch =>
  drawPrompts({ ...lengths, dimension: task.dimension }, seed, task);

/** The same prompts with other pairs: entry i holds what was pair `order[i]`. */
export function choosePairs(prompts: PromptBatch, order: readonly number[]): PromptBatch {
  const { batch, context, dimension } = prompts;
  const width = responseWidth(prompts);
  const rows = Array.from({ length: batch }, (_, b) => order.map((i) => b * context + i)).flat();
  return {
    ...prompts,
    context: order.length,
    covariates: Float32Array.from(
      rows.flatMap((row) => [...prompts.covariates.subarray(row * dimension, (row + 1) * dimension)]),
    ),
    responses: Float32Array.from(
      rows.flatMap((row) => [...prompts.responses.subarray(row * width, (row + 1) * width)]),
    ),
  };
}

/** One query of each prompt. */
export function chooseQuery(prompts: PromptBatch, q: number): PromptBatch {
  const { batch, queries, dimension } = prompts;
  const starts = Array.from({ length: batch }, (_, b) => (b * queries + q) * dimension);
  return {
    ...prompts,
    queries: 1,
    query: Float32Array.from(starts.flatMap((at) => [...prompts.query.subarray(at, at + dimension)])),
  };
}

/** Rows of a `[rows, columns]` array. */
export function rowsOf(values: ArrayLike<number>, columns: number): number[][] {
  const rows = values.length / columns;
  return Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => values[i * columns + j]!));
}

/** Pairs (x, y) and queries of prompt b. */
export function unpack(prompts: PromptBatch, b: number) {
  const { context, queries, dimension } = prompts;
  const part = (values: Float32Array, size: number) => values.subarray(b * size, (b + 1) * size);
  return {
    x: rowsOf(part(prompts.covariates, context * dimension), dimension),
    y: [...part(prompts.responses, context)],
    queries: rowsOf(part(prompts.query, queries * dimension), dimension),
  };
}
