/** What the link asks for, as far as it can be had with the models that are here; and what of it cannot, in words. */

import type { WebProvider } from '../../../../infer/web-runtime.ts';
import { geometricGrid } from '../../../../studies/figures/grids.ts';
import type { ValuesOf } from '../../app/fields.ts';
import type { Library } from '../../app/library.ts';
import type { fields } from './fields.ts';
import { type Kernel, statesOf } from './kernel.ts';
import { presets } from './presets.ts';
import type { KnownModel, Question } from './session.ts';

export type Values = ValuesOf<typeof fields>;

/** How the panel's parts change the link. */
export type Change = (patch: Partial<Values>, isChoice?: boolean) => void;

export interface Setting {
  /** Undefined as long as it is not here yet. */
  readonly main: KnownModel | undefined;
  readonly compared: KnownModel | undefined;
  /** Models that answer the same prompts as the main one. */
  readonly others: readonly KnownModel[];
  readonly kernel: Kernel;
  /** Null: as drawn. */
  readonly query: readonly number[] | null;
  readonly problems: readonly string[];
}

export function settingOf(values: Values, models: readonly KnownModel[], library: Library): Setting {
  const problems: string[] = [];
  const isMissing = (id: string) => {
    if (id === '' || id === 'none' || library.find(id) !== undefined) return false;
    problems.push(`The link names the model ${JSON.stringify(id)}, which is not here.`);
    return true;
  };
  const isAnyGood = isMissing(values.model) || values.model === '';
  const main = models.find(({ model }) => model.id === values.model) ?? (isAnyGood ? models[0] : undefined);
  const others = models.filter(
    ({ model, task }) =>
      main !== undefined &&
      model !== main.model &&
      task.dimension === main.task.dimension &&
      task.states === main.task.states,
  );
  isMissing(values.compare);
  const compared = values.compare === '' ? others[0] : others.find(({ model }) => model.id === values.compare);

  const states = main?.task.states ?? (values.kernel.length > 0 ? statesOf(values.kernel) : 2);
  let kernel = values.kernel.length > 0 ? values.kernel : presets[0].kernel(states);
  if (statesOf(kernel) !== states) {
    problems.push(`The link’s kernel has ${statesOf(kernel)} states, the model ${states}; shown is another.`);
    kernel = presets[0].kernel(states);
  }
  let query: readonly number[] | null = null;
  if (values.query !== '' && main !== undefined) {
    const { dimension } = main.task;
    query = [...values.query].map(Number);
    if (query.length !== dimension || !query.every((state) => state >= 0 && state < states)) {
      const text = JSON.stringify(values.query);
      problems.push(`The link’s query ${text} is not ${dimension} states below ${states}; asked is the one drawn.`);
      query = null;
    }
  }
  return { main, compared, others, kernel, query, problems };
}

/** Whole numbers from 1 to n, in about equal ratios. */
export const lengthsUpTo = (n: number, count: number): readonly number[] =>
  n === 1 ? [1] : [...new Set(geometricGrid(1, n, count).map(Math.round))];

/** What is to be answered; undefined as long as there is no model. */
export function questionOf(
  { main, compared, kernel, query }: Setting,
  { n, seed, smoothing }: Values,
  provider: WebProvider,
): Question | undefined {
  if (main === undefined) return undefined;
  const { groups: _groups, ...task } = main.task;
  return {
    models: [main, ...(compared === undefined ? [] : [compared])].map(({ model }) => model.id),
    provider,
    task: { ...task, kernel },
    contextLength: n,
    seed,
    query,
    smoothing,
    // On a GPU every new length compiles its shaders.
    lengths: lengthsUpTo(n, provider === 'wasm' ? 24 : 8),
  };
}
