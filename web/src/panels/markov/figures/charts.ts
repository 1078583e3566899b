/** The panel's charts: the answer as chains are added, and the distance to the truth over fresh prompts. */
import type { FigureContext, SvgElement } from '../../../../../studies/figures/document.ts';
import { drawLineChart } from '../../../../../studies/figures/line-chart.ts';
import { color } from '../../../../../studies/figures/theme.ts';
import type { MarkovErrors } from '../../../worker/methods/markov.ts';
import { formatAnswer, type Respondent } from '../palette.ts';

export interface AlongData {
  readonly lengths: readonly number[];
  readonly respondents: readonly (Respondent & { readonly values: readonly number[] })[];
  readonly truth: number;
  /** Chains in the prompts of training. */
  readonly trained: number | undefined;
}

export function drawAlong(context: FigureContext, { lengths, respondents, truth, trained }: AlongData): SvgElement {
  const series = respondents.map(({ title, color: stroke, mark, values }) => {
    const points = lengths.map((x, i) => ({ x, y: values[i]! })).filter(({ y }) => Number.isFinite(y));
    const measured = points.map((point) => ({ ...point, standardError: 0 }));
    return { label: title, color: stroke, mark, trace: points, measured };
  });
  const isTrainedShown = trained !== undefined && trained <= lengths.at(-1)! && lengths.length > 1;
  return drawLineChart(context, {
    description: `Answers to the query from the first chains of the context alone, against their number; the truth is ${formatAnswer(truth)}.`,
    panels: [
      {
        x: { label: 'chains in the context', type: lengths.length > 1 ? 'log' : 'linear' },
        y: { label: 'mean of the next state', type: 'linear' },
        series,
        guides: [
          { axis: 'y', at: truth, label: 'truth', color: color.ink },
          ...(isTrainedShown ? [{ axis: 'x', at: trained, label: 'as in training', style: 'dot' } as const] : []),
        ],
      },
    ],
    words: {},
    height: 260,
  });
}

export interface ErrorsData {
  readonly errors: MarkovErrors;
  readonly respondents: readonly Respondent[];
  readonly measure: 'squared' | 'absolute';
  readonly states: number;
  readonly trained: number | undefined;
}

/** What the two distances are called. */
export const measureWords = (measure: 'squared' | 'absolute', states: number): string => {
  if (measure === 'squared') return 'squared distance to the true mean';
  return states === 2 ? 'total variation to the true chances' : 'distance to the true mean';
};

export function drawErrors(context: FigureContext, data: ErrorsData): SvgElement {
  const { errors, respondents, measure, states, trained } = data;
  const lengths = [...new Set(errors.rows.map(({ length }) => length))];
  const series = respondents.map(({ key, title, color: stroke, mark }) => {
    const rows = errors.rows.filter(({ who }) => who === key);
    const measured = rows.map((row) => ({
      x: row.length,
      y: row[measure],
      standardError: row[`${measure}StandardError`],
    }));
    return { label: title, color: stroke, mark, measured, trace: measured };
  });
  const isTrainedShown = trained !== undefined && trained <= lengths.at(-1)! && lengths.length > 1;
  return drawLineChart(context, {
    description: `Mean ${measureWords(measure, states)} against chains in the context, over ${errors.prompts} fresh prompts; lower is better.`,
    panels: [
      {
        x: { label: 'chains in the context', type: lengths.length > 1 ? 'log' : 'linear' },
        y: { label: measureWords(measure, states), type: 'linear', low: 0 },
        series,
        guides: isTrainedShown ? [{ axis: 'x', at: trained, label: 'as in training', style: 'dot' }] : [],
      },
    ],
    words: {},
    height: 260,
  });
}
