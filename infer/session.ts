/**
 * What a session is to everybody who asks for predictions, and the half of it that is the same everywhere: checks, blocks
 * that fit a memory budget, one run at a time, closing. What answers one block is a {@link Runner}: a worker thread in Node
 * (`session-node.ts`), the page's own thread in a browser (`session-web.ts`). Nothing here knows Node or ONNX Runtime.
 */
import type { RunnableModel } from '../export/read-model.ts';
import { classesOf } from '../models/architecture.ts';
import { ProviderError } from '../models/errors.ts';
import {
  type PromptBatch,
  type PromptContract,
  responseWidth,
  sliceBatch,
  validateBatch,
  validateShapes,
} from '../models/prompts.ts';
import { checkMemoryBudget, promptsPerPiece } from './batching.ts';
import { type Breather, createBreather } from './breathe.ts';
import type { ProviderName } from './provider-table.ts';
import { sliceAnswers } from './slice-answers.ts';

export interface SessionOptions {
  /** Where to run; `auto` takes the fastest that works and is not a software adapter. */
  readonly provider: ProviderName | 'auto';
  /** Threads of the CPU provider. */
  readonly threads: number;
  /** Bytes that a run may use at a time; a larger batch is run in blocks. */
  readonly memoryBudget: number;
  /** Whether to return the predictions from the first 0..N pairs, of a model that has them. */
  readonly prefixes: boolean;
}

/** What ran, for reports. */
export interface SessionReport {
  readonly provider: ProviderName;
  /** The GPU, or the software that plays one; null for cpu and wasm. */
  readonly adapter: string | null;
  /** Package and version: `onnxruntime-node 1.30.0`. */
  readonly runtime: string;
  readonly opset: number;
  readonly threads: number;
}

export interface Predictions {
  /** `[B, Q]`, or `[B, Q, c]` for c classes. */
  readonly prediction: Float32Array;
  /** `[B, N + 1, Q]`, or `[B, N + 1, Q, c]`: entry n is the prediction from the first n pairs. */
  readonly prefixPrediction?: Float32Array;
}

export interface InferenceSession {
  readonly report: SessionReport;
  readonly model: RunnableModel;
  /**
   * Answers a batch. Runs are answered one after the other, in the order they were asked; whoever asks for the next before
   * the last is answered lets no thread wait in between. The arrays stay the caller's and must not change until the promise
   * settles. The last bits of a prediction may depend on the batch it is asked in: a matrix product may sum one row in another
   * order than many.
   * @throws {ShapeError} | {DataError} if the batch does not fit the model or holds NaN or infinity.
   * @throws {ProviderError} if the session is closed or ONNX Runtime fails.
   */
  run(prompts: PromptBatch): Promise<Predictions>;
  /** Lets runs that were asked finish, then frees everything. May be called again. */
  close(): Promise<void>;
}

export const memoryBudgetDefault = 32 * 2 ** 20;

/** Answers blocks of prompts, and nothing else: no order, no cutting. */
export interface Runner {
  /** Threads that compute side by side, each on a block of its own. */
  readonly shards: number;
  /** Whether `run` looks at the numbers itself: it then fails with {@link NotFiniteError} if one is NaN or infinite. */
  readonly checksNumbers: boolean;
  /** Whether it takes such a batch whole, and cuts it into pieces itself: it copies no prompt before its turn. */
  takesWhole(prompts: PromptBatch): boolean;
  /**
   * Writes the answers into the arrays of `room`, which have the right lengths; it is called once the work is under way. Two
   * batches may be under way, with a block more of each than there are shards.
   * @param pieceSize Prompts that a shard computes at a time.
   */
  run(block: PromptBatch, room: () => Predictions, pieceSize: number): Promise<void>;
  close(): Promise<void>;
}

/** What a runner says of a block that holds NaN or infinity; the session finds out where. */
export class NotFiniteError extends Error {
  override readonly name = 'NotFiniteError';
}

export interface SessionParts {
  readonly model: RunnableModel;
  readonly report: SessionReport;
  readonly memoryBudget: number;
  /** Bytes that should be in use at once. @default memoryBudget */
  readonly cacheBudget?: number;
  /** Whether the runner fills `prefixPrediction`. */
  readonly prefixes: boolean;
  readonly runner: Runner;
}

/** What errors call the batch. */
const where = 'prompts';

const contractOf = ({ sizes, architecture }: RunnableModel): PromptContract => ({
  dimension: sizes.dimension,
  minimumContext: architecture.minimumContext,
  classes: classesOf(sizes),
});

const ignore = () => {};

/** A session around a runner. */
export function createSession(parts: SessionParts): InferenceSession {
  checkMemoryBudget(parts.memoryBudget);
  const { model, report, runner } = parts;
  /** When all runs that were asked for are over, well or not; and when all but the last are. */
  let all: Promise<void> = Promise.resolve();
  let allButLast = all;
  let closed: Promise<void> | undefined;
  return {
    report,
    model,
    async run(prompts) {
      if (closed !== undefined) {
        throw new ProviderError({
          where: `session on ${report.provider}`,
          expected: 'an open session',
          got: 'a closed one',
          remedy: 'Open another.',
        });
      }
      validateShapes(where, prompts, contractOf(model));
      // Two are under way at a time: a thread that is done with the one goes on with the other.
      const answer = allButLast.then(() => runInBlocks(parts, prompts));
      const settled = answer.then(ignore, ignore);
      const before = all;
      allButLast = before;
      all = before.then(() => settled);
      await before;
      return answer;
    },
    close() {
      closed ??= all.then(() => runner.close());
      return closed;
    },
  };
}

/** Answers a batch of right shapes block by block; a lane more than shards, so that a block is made ready while the others run. */
async function runInBlocks(
  { model, memoryBudget, cacheBudget = memoryBudget, prefixes, runner }: SessionParts,
  prompts: PromptBatch,
): Promise<Predictions> {
  const { batch, context, queries } = prompts;
  const contract = contractOf(model);
  const perPrompt = queries * responseWidth(prompts);
  const perPrefix = (context + 1) * perPrompt;
  let answers: Predictions | undefined;
  const allAnswers = (): Predictions => {
    answers ??= {
      prediction: new Float32Array(batch * perPrompt),
      ...(prefixes && { prefixPrediction: new Float32Array(batch * perPrefix) }),
    };
    return answers;
  };
  const { graph } = model;
  const pieceSize = promptsPerPiece(graph, prompts, { memoryBudget, cacheBudget }, runner.shards);
  const isWhole = runner.takesWhole(prompts);
  const size = isWhole ? batch : promptsPerPiece(graph, prompts, { memoryBudget }, runner.shards);
  const breather = createBreather();
  let next = 0;

  // All lanes breathe, and often: answers that are there already are handed out one after the other without the event loop
  // coming to anything else.
  const lane = async () => {
    while (next < batch) {
      const start = next;
      const end = Math.min(batch, start + size);
      next = end;
      const block = sliceBatch(prompts, start, end);
      try {
        if (!runner.checksNumbers) await validateBlock(prompts, block, contract, breather);
        if (breather.isDue()) await breather.breathe();
        await runner.run(block, () => sliceAnswers(allAnswers(), batch, start, end), pieceSize);
      } catch (error) {
        next = batch;
        if (error instanceof NotFiniteError) validateBatch(where, prompts, contract); // throws, and says where
        throw error;
      }
    }
  };
  // All lanes are waited for even when one fails: the runner must be idle when the next run begins.
  const lanes = await Promise.allSettled(Array.from({ length: runner.shards + 1 }, lane));
  for (const outcome of lanes) if (outcome.status === 'rejected') throw outcome.reason;
  return allAnswers();
}

/** Numbers checked between two turns of the event loop. */
const numbersAtOnce = 2 ** 16;

/** Checks a block piece by piece, to keep the event loop free; an error counts prompts from the start of the whole batch. */
async function validateBlock(
  prompts: PromptBatch,
  block: PromptBatch,
  contract: PromptContract,
  breather: Breather,
): Promise<void> {
  const perPrompt = (block.context + block.queries) * (block.dimension + responseWidth(block));
  const piece = Math.max(1, Math.floor(numbersAtOnce / perPrompt));
  for (let start = 0; start < block.batch; start += piece) {
    if (breather.isDue()) await breather.breathe();
    try {
      validateBatch(where, sliceBatch(block, start, Math.min(block.batch, start + piece)), contract);
    } catch (error) {
      validateBatch(where, prompts, contract);
      throw error;
    }
  }
}
