/**
 * Sessions in a browser, on onnxruntime-web: the same checks and blocks as in Node, answered on the thread that opens the
 * session. A page that must stay responsive opens it in a web worker of its own. No Node module is imported here; the
 * runtime is loaded when the first session needs it, and only the build that the provider needs.
 */
import type { RunnableModel } from '../export/read-model.ts';
import { ProviderError } from '../models/errors.ts';
import type { PromptBatch } from '../models/prompts.ts';
import { checkMemoryBudget } from './batching.ts';
import { condense, createOrtSession, type OnnxRuntime, type OrtSession, runtimeVersion } from './onnxruntime.ts';
import { runBlock } from './run-block.ts';
import {
  createSession,
  type InferenceSession,
  memoryBudgetDefault,
  type Predictions,
  type Runner,
  type SessionOptions,
} from './session.ts';
import { loadWebRuntime, type WebProvider } from './web-runtime.ts';
import { inTurn } from './webgpu-turns.ts';

export interface WebSessionOptions extends Omit<SessionOptions, 'threads'> {
  /** Where the page serves onnxruntime-web's `.wasm` files, ending in `/`; null: beside its script. */
  readonly wasmPaths: string | null;
}

export const webSessionDefaults: WebSessionOptions = {
  provider: 'auto',
  memoryBudget: memoryBudgetDefault,
  prefixes: true,
  wasmPaths: null,
};

/**
 * Opens a session in a browser. `auto` is webgpu if the browser has a hardware adapter, else wasm.
 * @throws {ProviderError} if the provider does not work here or cannot run the whole graph.
 */
export async function openSession(
  model: RunnableModel,
  options: Partial<WebSessionOptions> = {},
): Promise<InferenceSession> {
  const {
    provider: requested,
    memoryBudget,
    prefixes: wantsPrefixes,
    wasmPaths,
  } = { ...webSessionDefaults, ...options };
  checkMemoryBudget(memoryBudget);
  const { ort, provider, adapter } = await loadWebRuntime(requested, wasmPaths);
  const session = await createSessionIn(ort, model.bytes, provider);
  const prefixes = wantsPrefixes && model.hasPrefixes;
  const report = {
    provider,
    adapter,
    runtime: runtimeVersion(ort),
    opset: model.opset,
    threads: 1,
  };
  return createSession({ model, report, memoryBudget, prefixes, runner: createRunner(ort, session, provider) });
}

async function createSessionIn(ort: OnnxRuntime, bytes: Uint8Array, provider: WebProvider): Promise<OrtSession> {
  try {
    return await inTurn(provider, () => createOrtSession(ort, bytes, provider, 1));
  } catch (cause) {
    throw new ProviderError({
      where: `provider ${provider}`,
      expected: `a session that runs wholly on ${provider}`,
      got: condense(cause),
      cause,
    });
  }
}

/** Blocks one after the other: the runtime takes no second run while the first is under way. */
function createRunner(ort: OnnxRuntime, session: OrtSession, provider: WebProvider): Runner {
  let last: Promise<void> = Promise.resolve();
  const answer = async (block: PromptBatch, out: Predictions) => {
    try {
      await inTurn(provider, () => runBlock(ort, session, block, out, false));
    } catch (cause) {
      throw new ProviderError({
        where: `provider ${provider}`,
        expected: `answers to ${block.batch} prompts with ${block.context} pairs and ${block.queries} queries`,
        got: condense(cause),
        cause,
      });
    }
  };
  return {
    shards: 1,
    checksNumbers: false,
    takesWhole: () => false,
    run(block, room) {
      const answered = last.then(() => answer(block, room()));
      last = answered.catch(() => {});
      return answered;
    },
    close: () => inTurn(provider, () => session.release()),
  };
}
