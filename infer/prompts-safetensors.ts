/**
 * Prompts from safetensors: `covariates [B, N, D]`, `responses [B, N]` (or `[B, N, c]`, one-hot), `query [B, D]` (a point per prompt) or
 * `[B, Q, D]` (a list), float32 or float64. The file is held as a whole; the records are made block by block.
 */
import { readSafetensors } from '../export/safetensors.ts';
import { DataError, didYouMean } from '../models/errors.ts';
import { labelAxis, responseWidth } from '../models/prompts.ts';
import { createBreather } from './breathe.ts';
import { type ByteSource, readWhole } from './byte-source.ts';
import {
  noPrompts,
  notFinite,
  type PromptContract,
  type PromptRecord,
  type RecordBlock,
  requireContext,
  requireLabels,
} from './prompt-records.ts';

interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array;
}

const names = ['covariates', 'responses', 'query'] as const;

/** Prompts made between two looks at the clock. */
const blockPrompts = 256;

/**
 * Records of a safetensors source.
 * @param fileBytes Largest file that is read.
 * @throws {DataError} naming the tensor, and the entry if it is a number that is wrong.
 */
export async function* readSafetensorsPrompts(
  source: ByteSource,
  contract: PromptContract,
  fileBytes: number,
): AsyncGenerator<RecordBlock, void, undefined> {
  const { where } = source;
  const bytes = await readWhole(source, fileBytes);
  if (bytes.length === 0) throw noPrompts(where, 'an empty file');
  const { covariates, responses, query } = findTensors(where, readSafetensors(where, bytes).tensors);
  const { batch, context, queries, isPoint } = checkShapes(where, { covariates, responses, query }, contract);

  const { dimension } = contract;
  const responsesAt = context * dimension;
  const queryAt = responsesAt + context * responseWidth(contract);
  const breather = createBreather();
  for (let start = 0; start < batch; start += blockPrompts) {
    const records: PromptRecord[] = [];
    for (let b = start; b < Math.min(batch, start + blockPrompts); b++) {
      const values = new Float32Array(queryAt + queries * dimension);
      copyPrompt(where, 'covariates', covariates, b, values, 0);
      copyPrompt(where, 'responses', responses, b, values, responsesAt);
      requireLabels(values, responsesAt, context, contract, (i) => `${where}: responses[${b}, ${i}]`);
      copyPrompt(where, 'query', query, b, values, queryAt);
      records.push({ context, queries, isPoint, label: null, values });
    }
    yield { records, bytesRead: Math.round((bytes.length * Math.min(batch, start + blockPrompts)) / batch) };
    if (breather.isDue()) await breather.breathe();
  }
}

function findTensors(where: string, tensors: Readonly<Record<string, Tensor>>): Record<(typeof names)[number], Tensor> {
  for (const name of Object.keys(tensors)) {
    if ((names as readonly string[]).includes(name)) continue;
    const remedy = didYouMean(name, names);
    throw new DataError({
      where,
      expected: `only the tensors ${names.join(', ')}`,
      got: JSON.stringify(name),
      ...(remedy === undefined ? {} : { remedy }),
    });
  }
  const named = (name: (typeof names)[number]): Tensor => {
    const tensor = tensors[name];
    if (tensor !== undefined) return tensor;
    throw new DataError({ where, expected: `the tensors ${names.join(', ')}`, got: `no ${name}` });
  };
  return { covariates: named('covariates'), responses: named('responses'), query: named('query') };
}

function checkShapes(
  where: string,
  { covariates, responses, query }: Record<(typeof names)[number], Tensor>,
  contract: PromptContract,
): { batch: number; context: number; queries: number; isPoint: boolean } {
  const { dimension } = contract;
  const fail = (name: string, expected: string, tensor: Tensor) =>
    new DataError({ where: `${where}: ${name}`, expected: `shape ${expected}`, got: `[${tensor.shape.join(', ')}]` });
  const [batch, context, last] = covariates.shape;
  if (covariates.shape.length !== 3 || last !== dimension) {
    throw fail('covariates', `[prompts, pairs, ${dimension}], ${dimension} being the model's dimension`, covariates);
  }
  const labels = [batch, context, ...labelAxis(contract)].join(', ');
  if (responses.shape.join(', ') !== labels) throw fail('responses', `[${labels}]`, responses);
  const isPoint = query.shape.length === 2;
  const queries = isPoint ? 1 : (query.shape[1] ?? 0);
  const isGood = (isPoint || query.shape.length === 3) && query.shape[0] === batch && query.shape.at(-1) === dimension;
  if (!isGood || queries < 1) {
    throw fail('query', `[${batch}, ${dimension}] or [${batch}, queries, ${dimension}]`, query);
  }
  if (batch === 0) throw noPrompts(where, 'tensors with none');
  requireContext(`${where}: covariates`, context!, contract);
  return { batch: batch!, context: context!, queries, isPoint };
}

/** Copies one prompt's part of a tensor. @throws {DataError} naming the entry that float32 cannot hold. */
function copyPrompt(where: string, name: string, tensor: Tensor, prompt: number, out: Float32Array, at: number): void {
  const { data, shape } = tensor;
  const size = data.length / shape[0]!;
  const start = prompt * size;
  for (let i = 0; i < size; i++) {
    out[at + i] = data[start + i]!;
    const stored = out[at + i]!;
    if (stored - stored !== 0) {
      throw notFinite(`${where}: ${name}[${indices(start + i, shape).join(', ')}]`, data[start + i]!);
    }
  }
}

/** Position along each axis of a row-major entry. */
function indices(flat: number, shape: readonly number[]): number[] {
  let rest = flat;
  return shape
    .map((_, axis) => shape[shape.length - 1 - axis]!)
    .map((size) => {
      const index = rest % size;
      rest = Math.floor(rest / size);
      return index;
    })
    .reverse();
}
