/**
 * ONNX files that other tools wrote: which of our three inputs theirs could be. Proposes; what is done with a proposal that a
 * person confirms is `adapt.ts`. Knows shapes and names, and nothing of what a graph computes.
 */
import { DataError } from '../models/errors.ts';
import { type Dim, formatType, type Graph, type Model, type Value } from './graph.ts';
import { parseForeignModel } from './parse.ts';

/** How the inputs of a foreign graph follow from a prompt. */
export type AdapterChoice = {
  /** The output that holds the prediction. */
  readonly output: string;
} & (
  | { readonly kind: 'three-inputs'; readonly covariates: string; readonly responses: string; readonly query: string }
  | {
      readonly kind: 'embedding';
      readonly embedding: string;
      /** `[batch, D + 1, N + 1]`: a token is a column. */
      readonly isTransposed: boolean;
    }
);

export interface Proposal {
  readonly choice: AdapterChoice;
  /** In words. */
  readonly title: string;
  readonly dimension: number;
}

export interface ForeignModel {
  readonly model: Model;
  readonly opset: number;
  /** The most likely first; empty if none fits. */
  readonly proposals: readonly Proposal[];
  /** Why there is no proposal, and what would fit; null if there is one. */
  readonly reason: string | null;
}

/** From here on `Unsqueeze` takes its axes as an input, as the adapter writes it. */
const oldestOpset = 13;

/** What would fit, for people. */
export const fittingSignatures =
  'three float32 inputs [batch, N, D], [batch, N] and [batch, queries, D] or [batch, D], under any names; or one float32 input [batch, N + 1, D + 1] of rows (x, y), or its transpose, with D fixed and the other lengths dynamic; and a float32 output with a prediction per prompt, per query or per position';

/** @throws {DataError} if the file is no ONNX model, or has what no adapter can be put around. */
export function readForeign(where: string, bytes: Uint8Array): ForeignModel {
  const model = parseForeignModel(where, bytes);
  const opset = model.opsetImports.find(({ domain }) => domain === '' || domain === 'ai.onnx')?.version;
  if (opset === undefined) {
    throw new DataError({ where, expected: 'an opset of the standard operators', got: 'none' });
  }
  const proposals = opset < oldestOpset ? [] : propose(model.graph);
  return { model, opset, proposals, reason: proposals.length > 0 ? null : reasonAgainst(model.graph, opset) };
}

function reasonAgainst({ inputs, outputs }: Graph, opset: number): string {
  if (opset < oldestOpset) {
    return `Its operator set is ${opset}; an adapter needs ${oldestOpset} or newer. Export it again with a newer one.`;
  }
  const fixed = inputs.filter(
    ({ shape }) => shape.length === 3 && shape.filter((dim) => typeof dim === 'number').length > 1,
  );
  const hint =
    fixed.length === 0
      ? ''
      : ` Axes of ${fixed.map(({ name }) => name).join(', ')} are fixed that must be dynamic: export it with dynamic axes for batch and length.`;
  const list = (values: readonly Value[]) =>
    values.map((value) => `${value.name} ${formatType(value)}`).join(', ') || 'none';
  return `No adapter fits inputs ${list(inputs)} and outputs ${list(outputs)}.${hint} Expected ${fittingSignatures}.`;
}

function propose({ inputs, outputs }: Graph): Proposal[] {
  const arrangements = [...threeInputs(inputs), ...embeddings(inputs)];
  return arrangements
    .flatMap(({ score, isSingle, ...rest }) =>
      outputs
        .filter((output) => holdsPrediction(output, isSingle))
        .map((output, i) => ({ ...rest, output, score: score - i })),
    )
    .sort((a, b) => b.score - a.score)
    .map(({ parts, dimension, title, output }) => ({
      choice: { ...parts, output: output.name } as AdapterChoice,
      dimension,
      title: outputs.length === 1 ? title : `${title}; prediction: ${output.name}`,
    }));
}

interface Arrangement {
  readonly parts: Readonly<Record<string, string | boolean>>;
  readonly dimension: number;
  readonly title: string;
  readonly score: number;
  /** Whether the graph takes one query per prompt. */
  readonly isSingle: boolean;
}

const isDynamic = (dim: Dim | undefined): boolean => typeof dim === 'string';

/** A prediction for each query; of a graph with one query per prompt also one per position, of which the last is meant. */
function holdsPrediction({ dtype, shape }: Value, isSingle: boolean): boolean {
  if (dtype !== 'float32' || !isDynamic(shape[0])) return false;
  if (isSingle) return shape.length >= 1 && shape.length <= 3;
  return (shape.length === 2 && isDynamic(shape[1])) || (shape.length === 3 && isDynamic(shape[1]) && shape[2] === 1);
}

const usualNames = {
  covariates: /cov|^xs?$|x_?(train|context|ctx)|input/i,
  responses: /resp|^ys?$|y_?(train|context|ctx)|label/i,
  query: /quer|test|target|^x_?q$/i,
} as const;

/** Every way in which three inputs have the shapes of covariates, responses and queries. */
function threeInputs(inputs: readonly Value[]): Arrangement[] {
  if (inputs.length !== 3 || inputs.some(({ dtype, shape }) => dtype !== 'float32' || !isDynamic(shape[0]))) return [];
  const [a, b, c] = inputs as [Value, Value, Value];
  const orders = [
    [a, b, c],
    [a, c, b],
    [b, a, c],
    [c, a, b],
    [b, c, a],
    [c, b, a],
  ] as const;
  return orders.flatMap(([covariates, responses, query]) => {
    const dimension = covariates.shape[2];
    const fits =
      covariates.shape.length === 3 &&
      isDynamic(covariates.shape[1]) &&
      typeof dimension === 'number' &&
      isDynamic(responses.shape[1]) &&
      (responses.shape.length === 2 || (responses.shape.length === 3 && responses.shape[2] === 1)) &&
      query.shape.at(-1) === dimension &&
      (query.shape.length === 2 || (query.shape.length === 3 && isDynamic(query.shape[1])));
    if (!fits) return [];
    const parts = { covariates, responses, query };
    const score = Object.entries(parts).filter(([role, { name }]) =>
      usualNames[role as keyof typeof parts].test(name),
    ).length;
    const isSingle = query.shape.length === 2;
    return [
      {
        parts: { kind: 'three-inputs', covariates: covariates.name, responses: responses.name, query: query.name },
        dimension,
        title: `covariates: ${covariates.name}, responses: ${responses.name}, ${isSingle ? 'one query' : 'queries'}: ${query.name}`,
        score: 10 * score,
        isSingle,
      },
    ];
  });
}

/** One input of tokens (x, y), as rows or as columns. */
function embeddings(inputs: readonly Value[]): Arrangement[] {
  const [input] = inputs;
  if (inputs.length !== 1 || input!.dtype !== 'float32' || input!.shape.length !== 3) return [];
  const [batch, first, second] = input!.shape;
  if (!isDynamic(batch)) return [];
  const arrangement = (width: number, isTransposed: boolean): Arrangement => ({
    parts: { kind: 'embedding', embedding: input!.name, isTransposed },
    dimension: width - 1,
    title: `${input!.name}: ${isTransposed ? 'columns' : 'rows'} (x, y), the query last with y = 0`,
    score: isTransposed ? 0 : 1,
    isSingle: true,
  });
  return [
    ...(isDynamic(first) && typeof second === 'number' && second >= 2 ? [arrangement(second, false)] : []),
    ...(isDynamic(second) && typeof first === 'number' && first >= 2 ? [arrangement(first, true)] : []),
  ];
}
