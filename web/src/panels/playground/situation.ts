/**
 * What the playground shows, derived from the link and the model: the law of the prompt, its pairs, what is known about them,
 * how much of the plane is seen. Pure: nothing is drawn, nothing is asked.
 */
import { type Shift, shiftsFor } from '../../../../models/shifts/index.ts';
import { type TaskSpec, taskNamed } from '../../../../models/tasks/index.ts';
import type { ModelSummary } from '../../worker/methods/models.ts';
import { comparisonsFor, defaultPenalty, type NamedComparison } from './comparisons.ts';
import { extentFor, type Place } from './geometry.ts';
import { drawContext, mostPairs, type Pair, type ResponseKind, responseKindOf } from './pairs.ts';
import type { PlaygroundValues } from './playground-fields.ts';

/** What of an open model the plane depends on. */
export type PlaneModel = Pick<ModelSummary, 'id' | 'metadata' | 'sizes' | 'minimumContext'>;

export interface Situation {
  readonly summary: PlaneModel;
  /** The law of the training prompts, and that of this one. */
  readonly task: TaskSpec;
  readonly testTask: TaskSpec;
  readonly shift: Shift | null;
  readonly level: number | null;
  readonly responses: ResponseKind;
  readonly pairs: readonly Pair[];
  /** Whether the person changed a pair: the truth is gone then. */
  readonly isEdited: boolean;
  /** Pairs in a training prompt; null if the file does not say. */
  readonly trainingLength: number | null;
  readonly taskParameters: Float32Array;
  readonly comparisons: readonly NamedComparison[];
  readonly comparison: NamedComparison;
  readonly penalty: number;
  readonly probe: Place;
  readonly half: number;
  /** What of the link cannot be, in words. */
  readonly problems: readonly string[];
}

/** Why a model has no plane, in words; undefined if it has one. */
export function whyNoPlane({ metadata, sizes }: PlaneModel): string | undefined {
  const { name } = metadata.task;
  if (name === 'markov-chain') return 'It predicts Markov chains: they have a panel of their own.';
  if (sizes.dimension !== 2)
    return `Its prompts have ${sizes.dimension} dimensions, a plane has 2: try the panel Robustness.`;
  return undefined;
}

/** Pairs in a training prompt, from the training's configuration. */
export function trainingLengthOf({ metadata }: PlaneModel): number | null {
  const { config } = metadata;
  const length =
    typeof config === 'object' && config !== null && 'contextLength' in config ? config['contextLength'] : null;
  return typeof length === 'number' && Number.isInteger(length) && length > 0 ? length : null;
}

export function situationOf(values: PlaygroundValues, summary: PlaneModel): Situation {
  const { task } = summary.metadata;
  const problems: string[] = [];
  const { shift, level, testTask } = shiftedTask(task, values, problems);
  const trainingLength = trainingLengthOf(summary);
  const isEdited = values.pairs.length > 0;
  const least = Math.max(1, summary.minimumContext);
  const wanted = values.n ?? trainingLength ?? 20;
  const count = isEdited ? values.pairs.length : Math.min(mostPairs, Math.max(least, wanted));
  const drawn = drawContext(testTask, values.seed, values.prompt, count);
  const responses = responseKindOf(task);
  const pairs = isEdited ? editedPairs(values, responses, problems) : drawn.pairs;
  const penalty = values.penalty ?? defaultPenalty(task);
  const comparisons = comparisonsFor(task, !isEdited, penalty);
  const chosen = comparisons.find(({ key }) => key === values.compare);
  if (chosen === undefined && values.compare !== '' && values.compare !== 'truth') {
    problems.push(`There is no comparison ${JSON.stringify(values.compare)} for this model.`);
  }
  const [x1, x2] = values.probe[0]!;
  const probe: Place = [x1!, x2!];
  return {
    summary,
    task,
    testTask,
    shift,
    level,
    responses,
    pairs,
    isEdited,
    trainingLength,
    taskParameters: drawn.taskParameters,
    comparisons,
    comparison: chosen ?? comparisons[0]!,
    penalty,
    probe,
    half: values.half ?? extentFor([...pairs.map((pair): Place => [pair.x1, pair.x2]), probe]),
    problems,
  };
}

function shiftedTask(task: TaskSpec, { shift: name, level: asked }: PlaygroundValues, problems: string[]) {
  const none = { shift: null, level: null, testTask: task };
  if (name === '') return none;
  const shift = shiftsFor(task).find((each) => each.name === name);
  if (shift === undefined) {
    problems.push(`The task of this model has no shift ${JSON.stringify(name)}: its own law is shown.`);
    return none;
  }
  const level = asked ?? shift.neutral ?? shift.levels[0]!;
  try {
    return { shift, level, testTask: shift.apply(task, level) };
  } catch (error) {
    problems.push(`${(error as Error).message} Without the shift, that is what is shown.`);
    return none;
  }
}

/** What the link has as pairs; a label that is no class is refused. */
function editedPairs({ pairs }: PlaygroundValues, responses: ResponseKind, problems: string[]): readonly Pair[] {
  const read = pairs.map((row): Pair => ({ x1: row[0]!, x2: row[1]!, y: row[2]! }));
  if (responses.kind === 'number') return read;
  const bad = read.findIndex(({ y }) => !responses.values.includes(y));
  if (bad < 0) return read;
  const list = responses.values.join(', ');
  problems.push(
    `Pair ${bad + 1} has the label ${read[bad]!.y}; this model’s are ${list}. Labels that are none are taken as ${responses.values[0]}.`,
  );
  return read.map((pair) => (responses.values.includes(pair.y) ? pair : { ...pair, y: responses.values[0]! }));
}

/** The law that the pairs were drawn from, in a sentence with its source. */
export function lawOf({ task, shift, level, isEdited }: Situation): string {
  const { description, source } = taskNamed(task.name);
  const shifted = shift === null ? '' : `, with the shift ${shift.name} at ${level}`;
  return `${isEdited ? 'Before the changes by hand they were drawn' : 'They were drawn'} from: ${description}${shifted}. ${source}.`;
}
