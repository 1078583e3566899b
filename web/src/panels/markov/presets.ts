/** Kernels worth seeing, as data: each with what to look for. */
import { cycle, independent, type Kernel, sticky } from './kernel.ts';

export interface Preset {
  readonly name: string;
  readonly title: string;
  /** What is seen with it. */
  readonly about: string;
  kernel(states: number): Kernel;
  /** Chains in the context. */
  readonly n: number;
  /** The query: its last state, and the one before it and so on; undefined: as drawn. */
  readonly query?: number;
}

/** For two states, .3 and .7; for more, falling from the last. */
const unequalRow = (states: number): readonly number[] => {
  const weights = Array.from({ length: states }, (_, state) => (states === 2 ? [3, 7][state]! : state + 1));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const parts = weights.map((weight) => Math.round((1000 * weight) / sum));
  parts[0]! += 1000 - parts.reduce((total, part) => total + part, 0);
  return parts.map((part) => part / 1000);
};

const always = (states: number, state: number): Kernel =>
  independent(Array.from({ length: states }, (_, each) => (each === state ? 1 : 0)));

/** The first is where the panel starts. */
export const presets: readonly [Preset, ...Preset[]] = [
  {
    name: 'sticky',
    title: 'Sticky',
    about: 'Every state tends to stay: the next state is mostly the query’s last one.',
    kernel: (states) => sticky(states, 0.85),
    n: 100,
  },
  {
    name: 'cycle',
    title: 'Nearly a cycle',
    about: 'Each state is followed by the next one almost always. Counting is nearly certain; the layers hedge.',
    kernel: (states) => cycle(states, 0.97),
    n: 100,
  },
  {
    name: 'no-memory',
    title: 'No memory',
    about: 'All rows are the same, so the query says nothing: the right answer is one and the same for every query.',
    kernel: (states) => independent(unequalRow(states)),
    n: 100,
  },
  {
    name: 'zeros',
    title: 'A query of zeros',
    about:
      'Every chain moves to the last state, and the context shows it. Linear attention multiplies by the query’s states: a query of zeros gets 0 whatever was seen.',
    kernel: (states) => always(states, states - 1),
    n: 100,
    query: 0,
  },
  {
    name: 'far',
    title: 'Far from training',
    about:
      'Nothing ever changes. In training every row was drawn uniformly, and a kernel this certain was hardly ever among them.',
    kernel: (states) => sticky(states, 0.99),
    n: 100,
  },
  {
    name: 'few',
    title: 'A handful of chains',
    about: 'Five chains where training had a hundred: draw again a few times and see how far the answers jump.',
    kernel: (states) => sticky(states, 0.85),
    n: 5,
  },
];
