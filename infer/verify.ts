/** `icl verify` in Node: opens a session on one provider, compares it with the float64 reference, closes it. */
import type { FrozenModel } from '../export/read-model.ts';
import type { ProviderName } from './provider-table.ts';
import { openSession } from './session-node.ts';
import { cudaTf32Tolerance } from './tolerances.ts';
import { type VerifyOptions, type VerifyResult, verifySession } from './verify-session.ts';

export type { VerifyOptions, VerifyResult } from './verify-session.ts';

/** Ends when the verification that now has the one WebGPU session is over. */
let webgpuIsFree: Promise<unknown> = Promise.resolve();

/**
 * Verifications on `webgpu` wait for one another: there is one such session at a time.
 * @throws {ProviderError} if the provider does not work here or cannot run the whole graph. Numbers that are too far off
 *   are a result with `ok` false, not an error.
 */
export function verifyModel(
  model: FrozenModel,
  provider: ProviderName,
  options: Partial<VerifyOptions> = {},
): Promise<VerifyResult> {
  if (provider !== 'webgpu') return openAndVerify(model, provider, options);
  const result = webgpuIsFree.then(() => openAndVerify(model, provider, options));
  webgpuIsFree = result.catch(() => {}); // Its caller hears of the error; the next one in line only waits.
  return result;
}

async function openAndVerify(
  model: FrozenModel,
  provider: ProviderName,
  options: Partial<VerifyOptions>,
): Promise<VerifyResult> {
  const session = await openSession(model, { provider });
  try {
    const isTf32 = provider === 'cuda' && process.env['NVIDIA_TF32_OVERRIDE'] !== '0';
    return await verifySession(session, { ...(isTf32 && { tolerance: cudaTf32Tolerance }), ...options });
  } finally {
    await session.close();
  }
}
