/** All architectures, by name. A new one is a file beside this and a line here. */
import type { Architecture } from '../architecture.ts';
import { unknownName } from '../errors.ts';
import { linearAttention } from './linear-attention.ts';
import { linearAttentionClassifier } from './linear-attention-classifier.ts';
import { multilayerLinearAttention } from './multilayer-linear-attention.ts';
import { pairedTransformer } from './paired-transformer.ts';
import { reducedLinearAttention } from './reduced-linear-attention.ts';
import { softmaxAttention } from './softmax-attention.ts';
import { sparseLinearAttention } from './sparse-linear-attention.ts';
import { stackedAttention } from './stacked-attention.ts';
import { transformer } from './transformer.ts';

export const architectures: readonly Architecture[] = [
  linearAttention,
  linearAttentionClassifier,
  reducedLinearAttention,
  multilayerLinearAttention,
  sparseLinearAttention,
  softmaxAttention,
  stackedAttention,
  transformer,
  pairedTransformer,
];

/** @throws {UsageError} naming the nearest known architecture. */
export function architectureNamed(name: string, where = 'model'): Architecture {
  const found = architectures.find((architecture) => architecture.name === name);
  if (found === undefined) {
    throw unknownName(
      where,
      name,
      architectures.map((architecture) => architecture.name),
    );
  }
  return found;
}
