/** A file that other tools wrote becomes a model in our contract. */
import { adaptModel } from '../../../../export/adapt.ts';
import { readForeign } from '../../../../export/foreign.ts';
import { readRunnable } from '../../../../export/read-model.ts';
import { DataError } from '../../../../models/errors.ts';
import type { FileArgument } from './inspect.ts';

export interface AdaptArgument extends FileArgument {
  /** Which of the proposals. */
  readonly proposal: number;
  readonly isNegated: boolean;
  readonly noiseVariance: number;
  readonly contextLength: number;
}

/** The adapted file. @throws {DataError} | {ExportError} */
export async function adapt(argument: AdaptArgument): Promise<Uint8Array> {
  const { name, bytes, proposal: index, isNegated, noiseVariance, contextLength } = argument;
  const foreign = readForeign(name, bytes);
  const proposal = foreign.proposals[index];
  if (proposal === undefined) {
    throw new DataError({ where: name, expected: 'a proposed adapter', got: foreign.reason ?? `proposal ${index}` });
  }
  const { choice, dimension } = proposal;
  const identity = { kind: 'identity' } as const;
  const adapted = adaptModel(foreign, {
    choice,
    isNegated,
    contextLength,
    origin: name,
    task: { name: 'linear-regression', dimension, covariance: identity, taskCovariance: identity, noiseVariance },
  });
  readRunnable(name, adapted); // throws if it is not what it is to be
  return adapted;
}
