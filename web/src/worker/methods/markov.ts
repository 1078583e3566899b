/**
 * Methods about Markov chains: what frozen models and counting answer to a prompt whose kernel the page gives, and how far they
 * are from the truth over many fresh prompts. All answers are means of the next state, coded 0, 1, ..
 */
import { addValue, emptyStatistics, type RunningStatistics, standardError } from '../../../../infer/statistics.ts';
import type { WebProvider } from '../../../../infer/web-runtime.ts';
import { createEstimator, estimatorsFor } from '../../../../models/estimators/index.ts';
import { countTransitions } from '../../../../models/estimators/markov.ts';
import { allocateBatch, type LabelledBatch, sliceLabelledBatch, truncateContext } from '../../../../models/prompts.ts';
import { createGenerator, streams } from '../../../../models/random.ts';
import { createSampler } from '../../../../models/tasks/index.ts';
import type { MarkovChainSpec } from '../../../../models/tasks/markov-chain.ts';
import { modelNamed, sessionOf } from '../open-models.ts';
import type { CallContext } from '../protocol.ts';

export interface MarkovArgument {
  /** Models that are open, of the task's dimension. */
  readonly models: readonly string[];
  readonly provider: WebProvider;
  /** The law of the prompt: with a kernel, or with the prior of kernels. */
  readonly task: MarkovChainSpec;
  /** N */
  readonly contextLength: number;
  readonly seed: number;
  /** The query's D states; null: as drawn. */
  readonly query: readonly number[] | null;
  /** Of `pooled-counts`. */
  readonly smoothing: number;
  /** Shorter contexts to answer from as well, each the beginning of the whole. */
  readonly lengths: readonly number[];
}

/** Means of the next state by whoever answers: a model by its id, an estimator by its name. */
export type Answers<Values> = Readonly<Record<string, Values>>;

export interface MarkovAnswers {
  /** The context `[N, D + 1]`: a row is a chain, its last state included. */
  readonly chains: Uint8Array;
  /** The query that was asked, D states. */
  readonly query: readonly number[];
  /** The kernel that the prompt was drawn with, `[S, S]`. */
  readonly kernel: readonly number[];
  /** Transitions seen in context and query plus smoothing, each row divided by its sum. */
  readonly counted: readonly number[];
  /** Transitions seen in context and query. */
  readonly seen: readonly number[];
  /** Every query there is, `[S^D, D]`; only the asked one if there are too many. */
  readonly queries: readonly (readonly number[])[];
  /** To `query`. */
  readonly asked: Answers<number>;
  /** To `queries`. */
  readonly all: Answers<readonly number[]>;
  /** To `query`, from `lengths` chains each. */
  readonly along: Answers<readonly number[]>;
  readonly lengths: readonly number[];
  /** Milliseconds of each model's last run, from the longest context. */
  readonly milliseconds: Answers<number>;
}

/** More queries than this are too many to draw side by side. */
const mostQueries = 32;

/** Every sequence of D states, in the order of counting. */
function everyQuery(states: number, dimension: number): number[][] {
  return Array.from({ length: states ** dimension }, (_, index) =>
    Array.from({ length: dimension }, (_, t) => Math.floor(index / states ** (dimension - 1 - t)) % states),
  );
}

/** Milliseconds after which the page gets what is known so far. */
const patience = 150;

/** One prompt of the law and every answer to it. @throws {UsageError} | {DataError} | {ProviderError} */
export async function answerMarkov(
  argument: MarkovArgument,
  { report, turn }: CallContext<MarkovAnswers>,
): Promise<MarkovAnswers> {
  const { models, provider, task, contextLength, seed, smoothing } = argument;
  const { states, dimension } = task;
  await turn(); // A later call may already have taken this one's place.
  const sampler = createSampler(task);
  const drawn = allocateBatch({ batch: 1, context: contextLength, queries: 1, ...sampler });
  sampler.fill(createGenerator(seed, streams.evaluation), 0, drawn);
  const query = argument.query ?? [...drawn.query];
  const every = states ** dimension <= mostQueries ? everyQuery(states, dimension) : [];
  // The asked query first, then every one.
  const queries = [query, ...every];
  const prompt: LabelledBatch = {
    ...drawn,
    queries: queries.length,
    query: Float32Array.from(queries.flat()),
    targets: new Float32Array(queries.length),
  };
  const alone: LabelledBatch = { ...prompt, queries: 1, query: Float32Array.from(query), targets: new Float32Array(1) };
  const room = allocateBatch({ batch: 1, context: contextLength, queries: 1, ...sampler });
  const answers: Record<string, readonly number[]> = {};
  const along: Record<string, readonly number[]> = {};
  for (const { name, options } of estimatorsFor(task)) {
    const isSmoothed = options.some((option) => option.name === 'smoothing');
    const estimator = createEstimator(name, { task, options: isSmoothed ? { smoothing } : {} });
    const out = new Float64Array(queries.length);
    estimator.predict(prompt, out);
    answers[name] = [...out];
    const one = new Float64Array(1);
    along[name] = argument.lengths.map((length) => {
      estimator.predict(truncateContext(alone, length, room), one);
      return one[0]!;
    });
  }
  const milliseconds: Record<string, number> = {};
  const known = { chains: chainsOf(drawn), query, kernel: [...drawn.taskParameters], lengths: argument.lengths };
  const assemble = (): MarkovAnswers => ({
    ...known,
    ...countChains(prompt, query, states, smoothing),
    queries: every.length > 0 ? every : [query],
    asked: Object.fromEntries(Object.entries(answers).map(([name, [first]]) => [name, first!])),
    all: Object.fromEntries(
      Object.entries(answers).map(([name, all]) => [name, every.length > 0 ? all.slice(1) : all]),
    ),
    along: { ...along },
    milliseconds: { ...milliseconds },
  });
  // What needs no runtime does not wait for it. While a slider is moved models answer sooner, and nothing flickers.
  const timer = setTimeout(() => report(assemble()), patience);
  try {
    // Model by model: on WebGPU only one can be open at a time.
    for (const model of models) {
      const session = await sessionOf(model, provider);
      const least = modelNamed(model).architecture.minimumContext;
      const { prediction } = await session.run(prompt);
      const values: number[] = [];
      for (const length of argument.lengths) {
        const shorter = truncateContext(alone, length, room);
        const start = performance.now();
        values.push(length >= least ? (await session.run(shorter)).prediction[0]! : Number.NaN);
        milliseconds[model] = performance.now() - start;
        await turn();
      }
      answers[model] = [...prediction];
      along[model] = values;
    }
  } finally {
    clearTimeout(timer);
  }
  return assemble();
}

function chainsOf({ context, dimension, covariates, responses }: LabelledBatch): Uint8Array {
  const chains = new Uint8Array(context * (dimension + 1));
  for (let i = 0; i < context; i++) {
    for (let t = 0; t < dimension; t++) chains[i * (dimension + 1) + t] = covariates[i * dimension + t]!;
    chains[i * (dimension + 1) + dimension] = responses[i]!;
  }
  return chains;
}

/** What counting knows: the transitions of the context's chains and of the query's own states. */
function countChains(prompt: LabelledBatch, query: readonly number[], states: number, smoothing: number) {
  const counts = new Float64Array(states * states);
  countTransitions(prompt, 0, { states, smoothing }, counts);
  for (const [t, state] of query.slice(1).entries()) {
    const k = query[t]! * states + state;
    counts[k] = counts[k]! + 1;
  }
  const rows = Array.from({ length: states }, (_, s) => counts.subarray(s * states, (s + 1) * states));
  const sums = rows.map((row) => row.reduce((sum, value) => sum + value, 0));
  return {
    seen: [...counts].map((count) => Math.round(count - smoothing)),
    counted: rows.flatMap((row, s) => [...row].map((count) => count / sums[s]!)),
  };
}

export interface MarkovErrorsArgument extends Omit<MarkovArgument, 'contextLength' | 'query'> {
  readonly prompts: number;
}

/** Of one who answers at one length: distances to the mean under the true kernel, squared and absolute. */
export interface MarkovErrorRow {
  /** A model's id or an estimator's name. */
  readonly who: string;
  readonly length: number;
  /** Fresh prompts so far. */
  readonly prompts: number;
  readonly squared: number;
  readonly squaredStandardError: number;
  readonly absolute: number;
  readonly absoluteStandardError: number;
}

export interface MarkovErrors {
  /** Fresh prompts that everybody has answered. */
  readonly prompts: number;
  readonly rows: readonly MarkovErrorRow[];
}

/** Beside the models: what could be done without knowing the kernel. */
const counting = 'pooled-counts';
/** Prompts of a block, and how often the page is told. */
const [blockSize, reportEvery] = [64, 250];

/**
 * How far answers are from the truth over fresh prompts, the same for everybody and at every length.
 * @throws {DataError} if an answer is not finite.
 */
export async function measureMarkov(
  argument: MarkovErrorsArgument,
  { report, turn }: CallContext<MarkovErrors>,
): Promise<MarkovErrors> {
  const { models, provider, task, lengths, prompts, seed, smoothing } = argument;
  const truth = createEstimator('known-kernel', { task });
  const counts = createEstimator(counting, { task, options: { smoothing } });
  const sampler = createSampler(task);
  const sizes = { batch: Math.min(blockSize, prompts), context: Math.max(...lengths), queries: 1, ...sampler };
  const [whole, room] = [allocateBatch(sizes), allocateBatch(sizes)];
  const generator = createGenerator(seed, streams.evaluation);
  const cells = lengths.flatMap((length) =>
    [...models, counting].map((who) => ({ who, length, squared: emptyStatistics(), absolute: emptyStatistics() })),
  );
  const rowOf = ({ who, length, squared, absolute }: (typeof cells)[number]): MarkovErrorRow => ({
    who,
    length,
    prompts: squared.count,
    squared: squared.mean,
    squaredStandardError: standardError(squared),
    absolute: absolute.mean,
    absoluteStandardError: standardError(absolute),
  });
  const rowsSoFar = () => cells.filter(({ squared }) => squared.count > 1).map(rowOf);
  const cellsOf = (who: string) => cells.filter((cell) => cell.who === who);
  const right = new Float64Array(sizes.batch);
  const draw = (first: number, end: number): LabelledBatch => {
    const block = sliceLabelledBatch(whole, 0, Math.min(sizes.batch, end - first));
    sampler.fill(generator, first, block);
    truth.predict(block, right.subarray(0, block.batch));
    return block;
  };
  // On WebGPU one model can be open at a time: it answers all prompts before the next one. Prompts are drawn again, the same.
  const round = provider === 'webgpu' ? prompts : sizes.batch;
  let told = performance.now();
  for (let first = 0; first < prompts; first += round) {
    const end = Math.min(prompts, first + round);
    for (const who of [...models, counting]) {
      const session = who === counting ? undefined : await sessionOf(who, provider);
      const out = new Float64Array(sizes.batch);
      for (let at = first; at < end; at += sizes.batch) {
        const block = draw(at, end);
        for (const cell of cellsOf(who)) {
          const shorter = truncateContext(block, cell.length, room);
          if (session === undefined) counts.predict(shorter, out.subarray(0, block.batch));
          const answers = session === undefined ? out : (await session.run(shorter)).prediction;
          addDistances(cell, answers, right.subarray(0, block.batch));
          await turn();
        }
        if (performance.now() - told > reportEvery) {
          report({ prompts: Math.min(...cells.map(({ squared }) => squared.count)), rows: rowsSoFar() });
          told = performance.now();
        }
      }
    }
  }
  return { prompts, rows: rowsSoFar() };
}

function addDistances(
  { squared, absolute }: { readonly squared: RunningStatistics; readonly absolute: RunningStatistics },
  answers: ArrayLike<number>,
  right: Float64Array,
): void {
  for (let b = 0; b < right.length; b++) {
    const distance = answers[b]! - right[b]!;
    addValue(squared, distance ** 2);
    addValue(absolute, Math.abs(distance));
  }
}
