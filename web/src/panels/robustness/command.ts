/** The command that measures elsewhere what the panel shows. Knows the words of `icl evaluate`, runs nothing. */

import { usualEstimators } from '../../../../models/tasks/index.ts';
import { catalogue } from '../../../catalogue.ts';
import type { LibraryModel } from '../../app/library.ts';
import { quote } from '../../components/shell-word.ts';
import type { Experiment } from './experiment.ts';
import type { RunRequest } from './run.ts';

/** Where a model's file lies, as seen from a checkout; a person's own lies where they keep it. */
function fileOf({ id, title, origin }: LibraryModel): string {
  if (origin === 'built-in') return `web/models/${id}.onnx`;
  return title.endsWith('.onnx') ? title : 'model.onnx';
}

/** @param prompts Per point: those of the request, or fewer of a run that was stopped. */
export function evaluateCommand(
  experiment: Experiment,
  request: RunRequest,
  models: readonly LibraryModel[],
  prompts: number,
): string {
  const { shift, levels, lengths, estimators, task } = experiment;
  const [model, compared] = models.map(fileOf);
  const isUsual = String(estimators) === String(usualEstimators(task));
  const words = [
    ...['icl', 'evaluate', model!],
    ...(compared === undefined ? [] : ['--compare', compared]),
    ...(shift === null ? [] : ['--shift', `${shift.name}=${levels.join(',')}`]),
    ...['--lengths', lengths.join(',')],
    ...(isUsual ? [] : ['--estimators', estimators.length === 0 ? 'none' : estimators.join(',')]),
    ...['--prompts', String(prompts), '--target', String(request.targetStandardError)],
    ...['--seed', String(request.seed)],
  ];
  return words.map(quote).join(' ');
}

/** Recipes of the built-in models, by which their laws are known before they are fetched. */
export const builtInRecipes = catalogue.map(({ id, study, settings }) => ({ id, study, settings }));
