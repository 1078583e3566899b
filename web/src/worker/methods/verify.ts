/** A model's providers on this very machine: against the float64 reference, and against each other. */
import { type VerifyOptions, type VerifyResult, verifySession } from '../../../../infer/verify-session.ts';
import type { WebProvider } from '../../../../infer/web-runtime.ts';
import { sessionOf } from '../open-models.ts';
import type { CallContext } from '../protocol.ts';

export interface VerifyArgument {
  readonly model: string;
  readonly provider: WebProvider;
  /** Null: the float64 reference. */
  readonly against: WebProvider | null;
  /** Fewer and smaller prompts, for software that plays a GPU. */
  readonly isSmall: boolean;
}

export interface VerifyProgress {
  readonly done: number;
  readonly cases: number;
}

const smallSizes: Pick<VerifyOptions, 'batches' | 'contexts' | 'queries'> = {
  batches: [1, 5],
  contexts: [1, 19],
  queries: [1, 3],
};

/** The model must be open on the providers. @throws {ProviderError} */
export async function verify(
  { model, provider, against, isSmall }: VerifyArgument,
  { signal, report }: CallContext<VerifyProgress>,
): Promise<VerifyResult> {
  return verifySession(await sessionOf(model, provider), {
    ...(isSmall && smallSizes),
    against: against === null ? null : await sessionOf(model, against),
    signal,
    onProgress: (done, cases) => report({ done, cases }),
  });
}
