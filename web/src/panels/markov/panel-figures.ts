/** The panel's figures with all that belongs to them: words, numbers, commands. Knows no element. */
import { cite, papers } from '../../../../studies/papers.ts';
import type { Figure } from '../../components/figure-frame.ts';
import type { MarkovAnswers, MarkovErrors, MarkovErrorsArgument } from '../../worker/methods/markov.ts';
import { drawChains } from './figures/chains.ts';
import { drawAlong, drawErrors } from './figures/charts.ts';
import { drawDiagram } from './figures/diagram.ts';
import { drawNextState, type Outlook } from './figures/next-state.ts';
import { drawQueries } from './figures/queries.ts';
import { type Kernel, rowOf, statesOf } from './kernel.ts';
import { countsLook, type Respondent, truthKey } from './palette.ts';
import type { KnownModel, Question } from './session.ts';

/** Answers to a question, and who gave them. */
export interface Shown {
  readonly question: Question;
  readonly answers: MarkovAnswers;
  /** The models that were asked, then counting. */
  readonly respondents: readonly Respondent[];
  /** The first model. */
  readonly main: KnownModel;
}

const paper = `${cite(papers.ding2025)}, section 2`;

/** Chains in the prompts that a model was trained on. */
export function trainedLength({ description }: KnownModel): number | undefined {
  const { contextLength } = (description.metadata.config ?? {}) as { readonly contextLength?: unknown };
  return typeof contextLength === 'number' ? contextLength : undefined;
}

/** Names of the files that the command below reads. */
export const promptFile = 'markov-prompt.jsonl';
export const modelFile = ({ model }: KnownModel): string => `${model.id}.onnx`;

const answerProvenance = ({ question, main }: Shown) => ({
  text:
    `The prompt is number 0 of the evaluation stream of seed ${question.seed}, with the kernel above. The model's number is ` +
    `what its frozen graph gives; pooled counts are (count + c) / (all + S c) with c = ${question.smoothing}, over all chains of the context and ` +
    `the query's own states; the truth is the kernel's row of the query's last state (${paper}). ` +
    'With the prompt and the model saved, the command gives the same number.',
  command: `icl infer ${modelFile(main)} --prompts ${promptFile}`,
});

export function diagramFigure(kernel: Kernel, current: number | undefined): Figure {
  return {
    name: 'markov-kernel',
    caption: 'Arrows are as wide as their probability.',
    provenance: { text: `The kernel as it is set: the probability of each next state (${paper}).`, command: null },
    draw: (context) => drawDiagram(context, { kernel, current }),
    table: () => ({
      columns: ['from', 'to', 'probability'],
      rows: Array.from({ length: statesOf(kernel) }, (_, from) =>
        rowOf(kernel, from).map((probability, to) => [from, to, probability]),
      ).flat(),
    }),
  };
}

export function chainsFigure(shown: Shown): Figure {
  const { answers, question } = shown;
  const { chains, query } = answers;
  const { dimension, states } = question.task;
  const length = dimension + 1;
  return {
    name: 'markov-prompt',
    caption: `${question.contextLength === 1 ? 'One chain' : `${question.contextLength} chains`} of ${length} states; the framed last state is the response that belongs to the ${dimension === 1 ? 'one' : dimension} before it.`,
    provenance: answerProvenance(shown),
    draw: (context) => drawChains(context, { chains, length, states, query }),
    table: () => ({
      columns: ['chain', ...Array.from({ length: dimension }, (_, t) => `x${t + 1}`), 'y'],
      rows: [
        ...Array.from({ length: question.contextLength }, (_, i) => [i, ...chains.slice(i * length, (i + 1) * length)]),
        ['query', ...query, null],
      ],
    }),
  };
}

/** The prompt as `icl infer` reads it. */
export function promptAsJsonLine({ answers, question }: Shown): string {
  const { dimension } = question.task;
  const rows = Array.from({ length: question.contextLength }, (_, i) => [
    ...answers.chains.slice(i * (dimension + 1), (i + 1) * (dimension + 1)),
  ]);
  return `${JSON.stringify({
    covariates: rows.map((row) => row.slice(0, dimension)),
    responses: rows.map((row) => row[dimension]),
    query: answers.query,
  })}\n`;
}

/** Of two states the mean is the chance of state 1. */
const chancesOf = (mean: number, states: number): readonly number[] | null => (states === 2 ? [1 - mean, mean] : null);

export function outlooksOf({ answers, question, respondents }: Shown): readonly Outlook[] {
  const { states } = question.task;
  const last = answers.query.at(-1)!;
  return [
    { title: 'true kernel', mean: answers.asked[truthKey]!, probabilities: rowOf(answers.kernel, last), look: null },
    ...respondents.map(({ key, title, color, mark }) => {
      const mean = answers.asked[key]!;
      const probabilities = key === countsLook.key ? rowOf(answers.counted, last) : chancesOf(mean, states);
      return { title, mean, probabilities, look: { color, mark } };
    }),
  ];
}

export function nextStateFigure(shown: Shown): Figure {
  const { answers, question } = shown;
  const { states } = question.task;
  const outlooks = outlooksOf(shown);
  return {
    name: 'markov-next-state',
    caption:
      states === 2
        ? 'The models predict one number, which is read as the chance of state 1.'
        : 'The models predict one number, the mean of the next state; counts and kernel know every state’s chance.',
    provenance: answerProvenance(shown),
    draw: (context) => drawNextState(context, { query: answers.query, outlooks }),
    table: () => ({
      columns: ['who', 'mean', ...Array.from({ length: states }, (_, s) => `p${s}`)],
      rows: outlooks.map(({ title, mean, probabilities }) => [
        title,
        mean,
        ...Array.from({ length: states }, (_, s) => probabilities?.[s] ?? null),
      ]),
    }),
  };
}

export function queriesFigure(shown: Shown): Figure {
  const { answers, question, respondents } = shown;
  const { queries, all, query } = answers;
  const truth = all[truthKey]!;
  const answering = respondents.map((each) => ({ ...each, answers: all[each.key]! }));
  return {
    name: 'markov-queries',
    caption:
      'Every query there is, against this one context. The truth depends on the last state alone; the framed query is the one asked.',
    provenance: answerProvenance(shown),
    draw: (context) =>
      drawQueries(context, { queries, asked: query, states: question.task.states, respondents: answering, truth }),
    table: () => ({
      columns: ['query', 'true kernel', ...respondents.map(({ title }) => title)],
      rows: queries.map((each, i) => [
        each.join(' '),
        truth[i]!,
        ...answering.map(({ answers: values }) => values[i]!),
      ]),
    }),
  };
}

export function alongFigure(shown: Shown): Figure {
  const { answers, respondents, main } = shown;
  const { lengths, along } = answers;
  const trained = trainedLength(main);
  const truth = answers.asked[truthKey]!;
  const finite = (value: number) => (Number.isFinite(value) ? value : null);
  return {
    name: 'markov-chains-added',
    caption: 'The answer to the query from the first chains of this context only.',
    provenance: answerProvenance(shown),
    draw: (context) =>
      drawAlong(context, {
        lengths,
        respondents: respondents.map((each) => ({ ...each, values: along[each.key]! })),
        truth,
        trained,
      }),
    table: () => ({
      columns: ['chains', 'true kernel', ...respondents.map(({ title }) => title)],
      rows: lengths.map((length, i) => [length, truth, ...respondents.map(({ key }) => finite(along[key]![i]!))]),
    }),
  };
}

export interface ErrorsShown {
  readonly argument: MarkovErrorsArgument;
  readonly errors: MarkovErrors;
  readonly respondents: readonly Respondent[];
  readonly measure: 'squared' | 'absolute';
  readonly main: KnownModel;
}

export function errorsFigure({ argument, errors, respondents, measure, main }: ErrorsShown): Figure {
  const { task, lengths, seed, smoothing, prompts } = argument;
  const isGiven = task.kernel !== undefined;
  const estimators = ['pooled-counts', truthKey];
  return {
    name: 'markov-errors',
    caption: `Mean over ${errors.prompts} fresh prompts ${isGiven ? 'of the kernel above' : 'with a kernel each, as in training'}, with bars of two standard errors.`,
    provenance: {
      text:
        `Prompts 0, 1, .. of the evaluation stream of seed ${seed}; every answer is compared with the mean under the kernel that its prompt was drawn with, ` +
        `which a drawn next state would only hide in noise. Pooled counts with c = ${smoothing} (${paper}). ` +
        (isGiven
          ? ''
          : 'The command measures against the drawn states, on the same prompts: its rows less those of known-kernel are the squared distances here, up to the noise of those states' +
            `${smoothing === 1 ? '' : '; its counts have c = 1'}.`),
      command: isGiven
        ? null
        : `icl evaluate ${modelFile(main)} --lengths ${lengths.join(',')} --estimators ${estimators.join(',')} --prompts ${prompts} --seed ${seed}`,
    },
    draw: (context) =>
      drawErrors(context, { errors, respondents, measure, states: task.states, trained: trainedLength(main) }),
    table: () => ({
      columns: ['who', 'chains', 'squared', 'squared standard error', 'absolute', 'absolute standard error', 'prompts'],
      rows: errors.rows.map((row) => [
        respondents.find(({ key }) => key === row.who)?.title ?? row.who,
        row.length,
        row.squared,
        row.squaredStandardError,
        row.absolute,
        row.absoluteStandardError,
        row.prompts,
      ]),
    }),
  };
}
