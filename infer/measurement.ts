/**
 * What is measured under one law of prompts, block by block: it draws the prompts, keeps the statistics, knows when they are
 * precise enough, and gives them as rows. Whoever has several decides whose block is next.
 */
import { allocateBatch, type LabelledBatch, sliceLabelledBatch } from '../models/prompts.ts';
import { createGenerator, streams } from '../models/random.ts';
import { createSampler } from '../models/tasks/index.ts';
import type { Breather } from './breathe.ts';
import { answerBlock, type Cell } from './evaluation-block.ts';
import { answererNames, type EvaluationPlan, type EvaluationRow, type RiskFormula } from './evaluation-plan.ts';
import type { Setting } from './evaluation-settings.ts';
import type { InferenceSession } from './session.ts';
import { standardError } from './statistics.ts';
import { emptyTally, type Tally } from './tally.ts';

/** Covariate entries drawn at once: some 5 ms of sampling. */
const blockEntries = 1 << 18;
const largestBlock = 1024;
/** Fewest prompts from which a standard error is believed, when it decides whether to go on. */
const fewestForTarget = 1000;

/** A model as it takes part. */
interface Participant {
  readonly session: InferenceSession;
  readonly theory: RiskFormula | null;
}

/** Draws a setting's prompts, two blocks at a time: one is drawn into while a session reads the other. */
class PromptBlocks {
  readonly size: number;
  /** Room for a block with a shorter context. */
  readonly shorter: LabelledBatch;
  readonly #draw: (first: number) => LabelledBatch;
  #following: { readonly first: number; readonly block: LabelledBatch } | undefined;

  constructor({ lengths, prompts, seed, stream, queriesPerPrompt }: EvaluationPlan, { task }: Setting) {
    const context = Math.max(...lengths);
    const size = Math.max(1, Math.min(prompts, largestBlock, Math.floor(blockEntries / (context * task.dimension))));
    const sampler = createSampler(task);
    const sizes = { batch: size, context, queries: queriesPerPrompt, ...sampler, isShared: true };
    const generator = createGenerator(seed, streams[stream]);
    const buffers = [allocateBatch(sizes), allocateBatch(sizes)] as const;
    this.size = size;
    this.shorter = allocateBatch(sizes);
    this.#draw = (first) => {
      const block = sliceLabelledBatch(buffers[Math.floor(first / size) % 2]!, 0, Math.min(size, prompts - first));
      sampler.fill(generator, first, block);
      return block;
    };
  }

  /** The block that begins with prompt `first`, drawn now if it was not ahead. */
  take(first: number): LabelledBatch {
    const ahead = this.#following;
    this.#following = undefined;
    return ahead?.first === first ? ahead.block : this.#draw(first);
  }

  drawAhead(first: number): void {
    this.#following ??= { first, block: this.#draw(first) };
  }
}

export class Measurement {
  readonly setting: Setting;
  readonly #plan: EvaluationPlan;
  readonly #models: readonly Participant[];
  readonly #cells: readonly Cell[];
  readonly #theories = new Map<string, number | null>();
  #blocks: PromptBlocks | undefined;
  #prompts = 0;

  constructor(session: InferenceSession, plan: EvaluationPlan, setting: Setting) {
    this.setting = setting;
    this.#plan = plan;
    this.#models = [{ session, theory: plan.theory }, ...(plan.compared === null ? [] : [plan.compared])];
    const answerers = this.#models.length + setting.estimators.length;
    this.#cells = [...new Set(plan.lengths)].map((contextLength) => ({
      contextLength,
      tallies: Array.from({ length: answerers }, () => emptyTally(setting.measures)),
      differences: this.#models.length === 2 ? emptyTally(setting.measures) : [],
      isDone: false,
    }));
  }

  /** Prompts drawn so far. */
  get prompts(): number {
    return this.#prompts;
  }

  /** Whether every length is precise enough, or all prompts are used. */
  get isDone(): boolean {
    return this.#prompts >= this.#plan.prompts || this.#cells.every(({ isDone }) => isDone);
  }

  /**
   * Draws the next block for all lengths, at the longest: a shorter one is its beginning. The block after it is drawn while
   * the sessions run. @throws {DataError} if a measured number is not finite; what a session throws.
   */
  async measureBlock(breather: Breather): Promise<void> {
    const { prompts, targetStandardError } = this.#plan;
    this.#blocks ??= new PromptBlocks(this.#plan, this.setting);
    const blocks = this.#blocks;
    const first = this.#prompts;
    const block = blocks.take(first);
    const next = first + blocks.size;
    await answerBlock(this.#cells, {
      sessions: this.#models.map(({ session }) => session),
      names: this.#names(),
      setting: this.setting,
      first,
      block,
      shorter: blocks.shorter,
      breather,
      whileRunning: () => {
        if (next < prompts) blocks.drawAhead(next);
      },
    });
    this.#prompts += block.batch;
    for (const cell of this.#cells) cell.isDone ||= isPrecise(cell, targetStandardError);
    if (this.isDone) this.#blocks = undefined;
  }

  /** Length by length: the model, the compared model and the difference, the estimators. None before the first block. */
  *rows(): Generator<EvaluationRow, void, undefined> {
    if (this.#prompts === 0) return;
    const [model, compared] = this.#models;
    for (const { contextLength, tallies, differences } of this.#cells) {
      for (const [i, name] of this.#names().entries()) {
        const of = i === 1 && compared !== undefined ? compared : model!;
        const theory = i < this.#models.length ? this.#theoryOf(i, contextLength) : null;
        yield* this.#rowsOf(of, contextLength, name, tallies[i]!, theory);
        if (of === compared) {
          const [first, second] = [this.#theoryOf(0, contextLength), this.#theoryOf(1, contextLength)];
          const gap = (measure: number) => {
            const [a, b] = [first(measure), second(measure)];
            return a === null || b === null ? null : b - a;
          };
          yield* this.#rowsOf(compared, contextLength, answererNames.difference, differences, gap);
        }
      }
    }
  }

  *#rowsOf(
    { session }: Participant,
    contextLength: number,
    estimator: string,
    tally: Tally,
    theory: ((measure: number) => number | null) | null,
  ): Generator<EvaluationRow, void, undefined> {
    const { study, model } = session.model.metadata;
    const { shift, level, measures } = this.setting;
    for (const [j, { name }] of measures.entries()) {
      const statistics = tally[j]!;
      yield {
        study,
        model,
        shift,
        level,
        contextLength,
        estimator,
        measure: name,
        risk: statistics.mean,
        standardError: standardError(statistics),
        prompts: statistics.count,
        theory: theory === null ? null : theory(j),
        provider: session.report.provider,
        seed: this.#plan.seed,
      };
    }
  }

  #names(): string[] {
    const models = [answererNames.model, answererNames.compared].slice(0, this.#models.length);
    return [...models, ...this.#plan.estimators.map(({ name }) => name)];
  }

  /** A model's closed form for each measure; asked once, since some take milliseconds. */
  #theoryOf(index: number, contextLength: number): (measure: number) => number | null {
    return (measure) => {
      const { theory } = this.#models[index]!;
      if (theory === null) return null;
      const key = `${index} ${contextLength} ${measure}`;
      const known = this.#theories.get(key);
      if (known !== undefined) return known;
      const value = theory(this.setting.task, contextLength, this.setting.measures[measure]!.name);
      this.#theories.set(key, value);
      return value;
    };
  }
}

/** True once every standard error is small enough beside its risk. A risk of 0 is exact. */
function isPrecise({ tallies }: Cell, target: number | null): boolean {
  if (target === null || tallies[0]![0]!.count < fewestForTarget) return false;
  return tallies.flat().every((s) => standardError(s) <= target * s.mean);
}
