/**
 * A session's predictions against the float64 reference reading of the same architecture, at many sizes of batch, context
 * and queries. Runs in Node and in a browser. The prompts are drawn from the law the model was trained on.
 */
import { type FrozenModel, isFrozen, type RunnableModel } from '../export/read-model.ts';
import { outputOf } from '../models/architecture.ts';
import { UsageError } from '../models/errors.ts';
import {
  allocateBatch,
  type LabelledBatch,
  labelAxis,
  type PromptBatch,
  responseWidth,
  sliceBatch,
} from '../models/prompts.ts';
import { createGenerator, streams } from '../models/random.ts';
import { referencePrediction, referencePrefixPrediction, referenceScores } from '../models/reference-ops.ts';
import { createSampler } from '../models/tasks/index.ts';
import { createBreather } from './breathe.ts';
import type { ProviderName } from './provider-table.ts';
import type { InferenceSession } from './session.ts';
import { type Tolerance, toleranceFor } from './tolerances.ts';

/** Every combination of these is a case. */
export interface VerifyOptions {
  readonly batches: readonly number[];
  readonly contexts: readonly number[];
  readonly queries: readonly number[];
  readonly seed: number;
  /** Null: what `tolerances.ts` has for the session's provider and the model; against another session, for both together. */
  readonly tolerance: Tolerance | null;
  /** A session of the same model to compare with instead of the float64 reference: another provider's. */
  readonly against: InferenceSession | null;
  /** Ends the verification with the signal's own reason. */
  readonly signal: AbortSignal | null;
  /** Called before each case with how many are done, and at the end. */
  readonly onProgress: ((done: number, cases: number) => void) | null;
}

/** Sizes 1, where axes may vanish; sizes that are no multiple of a vector register or a GPU's workgroup; and large ones. */
export const verifyDefaults: VerifyOptions = {
  batches: [1, 7, 513],
  contexts: [1, 2, 40, 200],
  queries: [1, 5],
  seed: 0,
  tolerance: null,
  against: null,
  signal: null,
  onProgress: null,
};

/** For models of which the float64 reference would take minutes at the default sizes: fewer prompts, shorter ones. */
const smallerSizes: readonly Pick<VerifyOptions, 'batches' | 'contexts' | 'queries'>[] = [
  { batches: [1, 7, 33], contexts: [1, 2, 40, 100], queries: [1, 5] },
  { batches: [1, 5], contexts: [1, 2, 19], queries: [1, 3] },
];

/** Parameters times pairs that the reference goes through: some seconds. */
const mostWork = 1e9;

/** The largest of the sizes at which a model's reference takes seconds; the smallest for a model that is too large for any. */
export function sizesFor(model: Pick<FrozenModel, 'parameters'> | RunnableModel): (typeof smallerSizes)[number] {
  const { batches, contexts, queries } = verifyDefaults;
  const count =
    'parameters' in model
      ? Object.values(model.parameters).reduce((sum, { length }) => sum + length, 0)
      : model.bytes.length / Float32Array.BYTES_PER_ELEMENT;
  const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
  const work = (sizes: (typeof smallerSizes)[number]) =>
    count * total(sizes.batches) * total(sizes.contexts) * sizes.queries.length;
  const all = [{ batches, contexts, queries }, ...smallerSizes];
  return all.find((sizes) => work(sizes) <= mostWork) ?? all.at(-1)!;
}

/** Where the worst entry was, and what stood there. */
export interface WorstEntry {
  readonly output: 'prediction' | 'prefix_prediction';
  readonly batch: number;
  readonly context: number;
  readonly queries: number;
  /** Index into the output's axes. */
  readonly index: readonly number[];
  readonly got: number;
  readonly reference: number;
  /** Size of the reference over all predictions from as many pairs; see `tolerances.ts`. */
  readonly scale: number;
}

export interface VerifyResult {
  readonly provider: ProviderName;
  readonly adapter: string | null;
  readonly runtime: string;
  /** Largest |got - reference|; the largest finite number if one is NaN or infinite where the other is not. */
  readonly maxAbsolute: number;
  /** Largest |got - reference| / max(|reference|, scale). */
  readonly maxRelative: number;
  readonly tolerance: Tolerance;
  readonly ok: boolean;
  /** How many sizes were run. */
  readonly cases: number;
  /** Numbers compared. */
  readonly compared: number;
  /**
   * True: the session was opened so that ONNX Runtime refuses it if any node would run on another provider, or the provider
   * is the CPU's own.
   */
  readonly allNodesOnProvider: true;
  /** Null if every number is exactly the reference's. */
  readonly worst: WorstEntry | null;
}

interface Comparison {
  readonly output: WorstEntry['output'];
  readonly sizes: PromptBatch;
  /** Axes of the output. */
  readonly shape: readonly number[];
  readonly got: Float32Array;
  readonly reference: Float64Array;
  /** What `prediction` was a probability of, where it is one. */
  readonly scores?: Float64Array;
}

/**
 * Runs every case and compares.
 * @throws {ProviderError} if the session fails. @throws {UsageError} for the reference of a model that has none.
 */
export async function verifySession(
  session: InferenceSession,
  options: Partial<VerifyOptions> = {},
): Promise<VerifyResult> {
  const { model } = session;
  const resolved = { ...verifyDefaults, ...sizesFor(model), ...options };
  const { seed, against, signal, onProgress } = resolved;
  const sampler = createSampler(model.metadata.task);
  const generator = createGenerator(seed, streams.verification);
  const comparisons: Comparison[] = [];
  const cases = casesOf(model, resolved);
  let first = 0;
  for (const [done, { batch, context, queries }] of cases.entries()) {
    signal?.throwIfAborted();
    onProgress?.(done, cases.length);
    const prompts = allocateBatch({ batch, context, queries, ...sampler });
    sampler.fill(generator, first, prompts);
    first += batch;
    comparisons.push(...(await compareCase(session, against, prompts)));
  }
  onProgress?.(cases.length, cases.length);
  const tolerance = resolved.tolerance ?? toleranceOf(session, against);
  return { ...judge(comparisons, tolerance), ...evidence(session) };
}

/** Every combination of the sizes that the model takes. */
function casesOf({ architecture }: RunnableModel, { batches, contexts, queries }: VerifyOptions) {
  return contexts
    .filter((context) => context >= architecture.minimumContext)
    .flatMap((context) =>
      batches.flatMap((batch) => queries.map((queriesPerPrompt) => ({ context, batch, queries: queriesPerPrompt }))),
    );
}

/** Each of two providers may be as far from the reference as its own tolerance: together as far from each other. */
function toleranceOf({ model, report }: InferenceSession, against: InferenceSession | null): Tolerance {
  const own = toleranceFor(report.provider, model);
  if (against === null) return own;
  const other = toleranceFor(against.report.provider, model);
  return { relative: own.relative + other.relative, absolute: own.absolute + other.absolute };
}

function evidence({ report: { provider, adapter, runtime } }: InferenceSession) {
  return { provider, adapter, runtime, allNodesOnProvider: true } as const;
}

/** What a session's answers are compared with. */
interface Expected {
  readonly prediction: Float64Array;
  readonly prefixes?: Float64Array;
  readonly scores?: Float64Array;
}

/** The float64 reading of the architecture. */
async function expectedByReference(model: RunnableModel, prompts: LabelledBatch): Promise<Expected> {
  if (!isFrozen(model)) {
    throw new UsageError({
      where: 'verify',
      expected: 'a model of an architecture that icl-onnx knows, since its float64 reading is the reference',
      got: model.metadata.convertedFrom,
      remedy: 'Its providers can be compared with each other.',
    });
  }
  const perPrompt = prompts.queries * responseWidth(prompts);
  const { architecture, sizes, hasPrefixes } = model;
  const prediction = await referenceOf(model, prompts, perPrompt, referencePrediction);
  const perPrefix = (prompts.context + 1) * perPrompt;
  return {
    prediction,
    ...(hasPrefixes && { prefixes: await referenceOf(model, prompts, perPrefix, referencePrefixPrediction) }),
    ...(outputOf(architecture, sizes) !== 'value' && {
      scores: await referenceOf(model, prompts, perPrompt, referenceScores),
    }),
  };
}

/** Another provider's answers; of probabilities the scores are not known. */
async function expectedBySession(session: InferenceSession, prompts: LabelledBatch): Promise<Expected> {
  const { prediction, prefixPrediction } = await session.run(prompts);
  return {
    prediction: Float64Array.from(prediction),
    ...(prefixPrediction && { prefixes: Float64Array.from(prefixPrediction) }),
  };
}

/** One size: the session's answers beside those expected. */
async function compareCase(
  session: InferenceSession,
  against: InferenceSession | null,
  prompts: LabelledBatch,
): Promise<Comparison[]> {
  const { batch, context, queries } = prompts;
  const classes = labelAxis(prompts);
  const answered = session.run(prompts);
  answered.catch(() => {}); // Thrown below, where it is awaited.
  const { prediction, prefixes, scores } =
    against === null ? await expectedByReference(session.model, prompts) : await expectedBySession(against, prompts);
  const got = await answered;
  const comparisons: Comparison[] = [
    {
      output: 'prediction',
      sizes: prompts,
      shape: [batch, queries, ...classes],
      got: got.prediction,
      reference: prediction,
      ...(scores === undefined ? {} : { scores }),
    },
  ];
  if (prefixes !== undefined && got.prefixPrediction !== undefined) {
    const shape = [batch, context + 1, queries, ...classes];
    comparisons.push({
      output: 'prefix_prediction',
      sizes: prompts,
      shape,
      got: got.prefixPrediction,
      reference: prefixes,
    });
  }
  return comparisons;
}

/** The reference in slices, so that the event loop gets its turn. */
async function referenceOf(
  { architecture, parameters, sizes }: FrozenModel,
  prompts: PromptBatch,
  perPrompt: number,
  compute: typeof referencePrediction,
): Promise<Float64Array> {
  const slice = 16;
  const breather = createBreather();
  const out = new Float64Array(prompts.batch * perPrompt);
  for (let start = 0; start < prompts.batch; start += slice) {
    const part = sliceBatch(prompts, start, Math.min(prompts.batch, start + slice));
    out.set(compute(architecture, parameters, sizes, part), start * perPrompt);
    if (breather.isDue()) await breather.breathe();
  }
  return out;
}

/** How many pairs entry `i` was predicted from. */
function pairsOf({ output, sizes }: Comparison, i: number): number {
  const { context, queries } = sizes;
  if (output === 'prediction') return context;
  return Math.floor(i / (queries * responseWidth(sizes))) % (context + 1);
}

/**
 * How large predictions from so many pairs are: the root mean square of the reference, since one from few pairs may be many
 * times as large. Of probabilities at least a quarter of that of their scores: so much does a probability move with its score
 * (sigmoid' <= 1/4), and a score's rounding error is that of its terms.
 */
function scalesOf(comparisons: readonly Comparison[]): (pairs: number) => number {
  const values = meanSquares(comparisons, ({ reference }) => reference);
  const scores = meanSquares(comparisons, (comparison) => comparison.scores);
  const lengths = [...scores.keys()].sort((a, b) => a - b);
  const scales = new Map(
    Array.from(values, ([pairs, square]) => {
      // Prefixes have lengths between those whose scores are known; fewer pairs have larger scores.
      const known = lengths.findLast((length) => length <= pairs) ?? lengths[0];
      const score = known === undefined ? 0 : scores.get(known)!;
      return [pairs, Math.sqrt(Math.max(square, score / 16))];
    }),
  );
  return (pairs) => scales.get(pairs)!;
}

/** Mean squares by number of pairs. */
function meanSquares(
  comparisons: readonly Comparison[],
  pick: (comparison: Comparison) => Float64Array | undefined,
): Map<number, number> {
  const sums = new Map<number, { squares: number; count: number }>();
  for (const comparison of comparisons) {
    for (const [i, value] of (pick(comparison) ?? []).entries()) {
      const pairs = pairsOf(comparison, i);
      const { squares, count } = sums.get(pairs) ?? { squares: 0, count: 0 };
      sums.set(pairs, { squares: squares + value * value, count: count + 1 });
    }
  }
  return new Map(Array.from(sums, ([pairs, { squares, count }]) => [pairs, squares / count]));
}

/** Errors are judged by their scale, so all answers come first. */
function judge(comparisons: readonly Comparison[], tolerance: Tolerance) {
  const scaleOf = scalesOf(comparisons);
  let maxAbsolute = 0;
  let maxRelative = 0;
  let compared = 0;
  let ok = true;
  let worst: WorstEntry | null = null;
  for (const comparison of comparisons) {
    const { output, sizes, shape, got, reference } = comparison;
    compared += got.length;
    for (let i = 0; i < got.length; i++) {
      const error = errorOf(got[i]!, reference[i]!);
      if (error === 0) continue;
      const scale = scaleOf(pairsOf(comparison, i));
      const size = Math.max(Math.abs(reference[i]!), scale);
      if (error > tolerance.absolute + tolerance.relative * size) ok = false;
      maxAbsolute = Math.max(maxAbsolute, error);
      const relative = Math.min(error / size, Number.MAX_VALUE);
      if (relative <= maxRelative) continue;
      maxRelative = relative;
      const { batch, context, queries } = sizes;
      const index = unravel(i, shape);
      worst = { output, batch, context, queries, index, got: got[i]!, reference: reference[i]!, scale };
    }
  }
  return { maxAbsolute, maxRelative, tolerance, ok, cases: countCases(comparisons), compared, worst };
}

/** |got - reference|; where that is not a number, the largest there is: JSON, in which results are kept, has no infinity. */
function errorOf(got: number, reference: number): number {
  if (Object.is(got, reference)) return 0;
  const error = Math.abs(got - reference);
  return Number.isFinite(error) ? error : Number.MAX_VALUE;
}

function countCases(comparisons: readonly Comparison[]): number {
  return comparisons.filter(({ output }) => output === 'prediction').length;
}

/** Index into each axis of a row-major array. */
function unravel(flat: number, shape: readonly number[]): number[] {
  const index = new Array<number>(shape.length);
  let rest = flat;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = rest % shape[axis]!;
    rest = Math.floor(rest / shape[axis]!);
  }
  return index;
}
