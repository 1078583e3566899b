/** The networks of Figures 5 and 6: which architecture with which options a name of the setting `model` means. */
import type { Architecture, ModelSizes } from '../../models/architecture.ts';
import { reducedLinearAttention } from '../../models/attention/reduced-linear-attention.ts';
import { stackedAttention } from '../../models/attention/stacked-attention.ts';

interface Network {
  readonly name: string;
  readonly label: string;
  readonly options: Readonly<Record<string, number>>;
}

/** In the order of the paper's Figure 5D: what can express more comes later. */
export const networks: readonly Network[] = [
  { name: 'linear', label: 'full linear attention', options: { blocks: 0, mlp: 0 } },
  { name: 'softmax1', label: '1 softmax block', options: { blocks: 1, mlp: 0 } },
  { name: 'softmax2', label: '2 softmax blocks', options: { blocks: 2, mlp: 1 } },
  { name: 'softmax3', label: '3 softmax blocks', options: { blocks: 3, mlp: 1 } },
];

export const modelNames: readonly string[] = ['reduced', ...networks.map(({ name }) => name)];

export function modelOf(name: string, dimension: number): { architecture: Architecture; sizes: ModelSizes } {
  const network = networks.find((candidate) => candidate.name === name);
  if (network === undefined) return { architecture: reducedLinearAttention, sizes: { dimension } };
  return { architecture: stackedAttention, sizes: { dimension, options: network.options } };
}
