/**
 * One block of prompts under one law, answered by the models and all estimators at every length that is still open. Knows
 * neither how many blocks there are nor when to stop.
 */
import { DataError } from '../models/errors.ts';
import { type LabelledBatch, truncateContext } from '../models/prompts.ts';
import type { Breather } from './breathe.ts';
import type { Setting } from './evaluation-settings.ts';
import type { Measure } from './measures.ts';
import type { InferenceSession, Predictions } from './session.ts';
import { addAnswers, addDifferences, type Tally } from './tally.ts';

/** What is being measured at one length. */
export interface Cell {
  readonly contextLength: number;
  /** Of every model, and then of every estimator. */
  readonly tallies: readonly Tally[];
  /** The second model's measures less the first's, on the same prompts; none with one model. */
  readonly differences: Tally;
  isDone: boolean;
}

export interface BlockWork {
  readonly sessions: readonly InferenceSession[];
  /** Of the models, and then of the estimators. */
  readonly names: readonly string[];
  readonly setting: Setting;
  /** Number of the block's first prompt in the stream. */
  readonly first: number;
  readonly block: LabelledBatch;
  /** Room for the block with a shorter context. */
  readonly shorter: LabelledBatch;
  readonly breather: Breather;
  /** Called while the sessions are busy; perhaps several times. */
  readonly whileRunning: () => void;
}

/**
 * Adds a block's measures to every cell that still wants them.
 * @throws {DataError} if a measured number is not finite.
 */
export async function answerBlock(cells: readonly Cell[], work: BlockWork): Promise<void> {
  const { sessions, setting, first, block, shorter, breather, whileRunning } = work;
  const { batch, context } = block;
  const { measures } = setting;
  const perPrompt = block.targets.length / batch;
  const answers = new Float64Array(batch * perPrompt);
  const posterior = new Float64Array(setting.posterior === undefined ? 0 : batch * perPrompt);
  const record = (cell: Cell, index: number, values: ArrayLike<number>, stride = perPrompt, offset = 0) =>
    addAnswers(cell.tallies[index]!, measures, block, posterior, { values, stride, offset }, (measure, b, value) =>
      notFinite(work, cell, index, measure, first + b, value),
    );
  // A model with prefix predictions is run once, for all lengths.
  const wholes: (Predictions | undefined)[] = [];
  for (const session of sessions) {
    let whole: Predictions | undefined;
    if (session.model.hasPrefixes) {
      const running = session.run(block);
      running.catch(() => {}); // Thrown below, where it is awaited.
      whileRunning();
      whole = await running;
    }
    wholes.push(whole);
  }
  setting.posterior?.(block, posterior);
  for (const cell of cells.filter(({ isDone }) => !isDone)) {
    const n = cell.contextLength;
    const prompts = truncateContext(block, n, shorter);
    const runs = sessions.map((session, i) => {
      const whole = wholes[i];
      const isAnswered = whole !== undefined && (whole.prefixPrediction !== undefined || n === context);
      const running = isAnswered ? undefined : session.run(prompts);
      running?.catch(() => {});
      return running;
    });
    whileRunning();
    for (const [i, estimator] of setting.estimators.entries()) {
      estimator.predict(prompts, answers);
      record(cell, sessions.length + i, answers);
      if (breather.isDue()) await breather.breathe();
    }
    const values: Float64Array[][] = [];
    for (const [i, running] of runs.entries()) {
      const prefixes = wholes[i]?.prefixPrediction;
      if (prefixes !== undefined) {
        values.push(record(cell, i, prefixes, (context + 1) * perPrompt, n * perPrompt));
      } else {
        const { prediction } = running === undefined ? wholes[i]! : await running;
        values.push(record(cell, i, prediction));
      }
    }
    if (values.length === 2) addDifferences(cell.differences, values[0]!, values[1]!);
  }
}

function notFinite(
  { names, setting: { shift, level } }: BlockWork,
  { contextLength }: Cell,
  index: number,
  measure: Measure,
  prompt: number,
  value: number,
): never {
  const place = shift === null ? '' : `, ${shift} ${level}`;
  throw new DataError({
    where: `evaluate: ${names[index]}, length ${contextLength}${place}`,
    expected: `a finite ${measure.name.replace('-', ' ')}`,
    got: `${value} at prompt ${prompt}`,
    remedy: 'The numbers leave the range of float32 here: leave this level out.',
  });
}
