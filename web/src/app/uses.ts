/** Where a model can be used, by its task. */
import type { TaskSpec } from '../../../models/tasks/index.ts';

/** What of a model decides. */
interface Suitor {
  readonly metadata: { readonly task: Pick<TaskSpec, 'name'> };
  readonly sizes: { readonly dimension: number };
}

export interface Use {
  readonly href: string;
  readonly title: string;
  readonly about: string;
}

/** Links to the panels that take the model. */
export function usesOf(id: string, { metadata, sizes }: Suitor): readonly Use[] {
  const query = `?model=${encodeURIComponent(id)}`;
  const isMarkov = metadata.task.name === 'markov-chain';
  return [
    { href: `#robustness${query}`, title: 'Robustness', about: 'its risk over prompt length and shift' },
    ...(!isMarkov && sizes.dimension === 2
      ? [{ href: `#playground${query}`, title: 'Playground', about: 'move points, see it change its mind' }]
      : []),
    ...(isMarkov ? [{ href: `#markov${query}`, title: 'Markov chains', about: 'the next state it predicts' }] : []),
  ];
}
