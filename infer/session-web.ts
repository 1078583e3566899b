/**
 * Sessions in a browser, on onnxruntime-web: the same checks and blocks as in Node, answered on the thread that opens the
 * session. A page that must stay responsive opens it in a web worker of its own. No Node module is imported here; the
 * runtime is loaded when the first session needs it, and only the build that the provider needs.
 */
import type { FrozenModel } from '../export/read-model.ts';
import { ProviderError } from '../models/errors.ts';
import type { PromptBatch } from '../models/prompts.ts';
import { type AdapterInfo, formatAdapter, isSoftwareAdapter } from './adapter.ts';
import { checkMemoryBudget } from './batching.ts';
import { condense, createOrtSession, type OnnxRuntime, type OrtSession, runtimeVersion } from './onnxruntime.ts';
import { type ProviderName, providerNamed } from './provider-table.ts';
import { runBlock } from './run-block.ts';
import {
  createSession,
  type InferenceSession,
  memoryBudgetDefault,
  type Predictions,
  type Runner,
  type SessionOptions,
} from './session.ts';
import { releaseWebgpuSlot, takeWebgpuSlot } from './webgpu-slot.ts';

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

/** What this file uses of a browser's `navigator.gpu`. */
interface BrowserGpu {
  requestAdapter(options: { powerPreference: 'high-performance' }): Promise<{
    readonly info?: AdapterInfo;
  } | null>;
}

type WebProvider = 'wasm' | 'webgpu';

/**
 * Opens a session in a browser. `auto` is webgpu if the browser has a hardware adapter, else wasm.
 * @throws {ProviderError} if the provider does not work here or cannot run the whole graph.
 */
export async function openSession(
  model: FrozenModel,
  options: Partial<WebSessionOptions> = {},
): Promise<InferenceSession> {
  const {
    provider: requested,
    memoryBudget,
    prefixes: wantsPrefixes,
    wasmPaths,
  } = { ...webSessionDefaults, ...options };
  checkMemoryBudget(memoryBudget);
  const adapter = requested === 'wasm' ? null : await findAdapter();
  const provider = resolveWebProvider(requested, adapter);
  const ort = await loadRuntime(provider);
  if (wasmPaths !== null) ort.env.wasm.wasmPaths = wasmPaths;
  const session = await createInSlot(ort, model.bytes, provider);
  const prefixes = wantsPrefixes && model.hasPrefixes;
  const report = {
    provider,
    adapter: provider === 'webgpu' ? adapter!.name : null,
    runtime: runtimeVersion(ort),
    opset: model.opset,
    threads: 1,
  };
  return createSession({ model, report, memoryBudget, prefixes, runner: createRunner(ort, session, provider) });
}

interface Adapter {
  readonly name: string;
  readonly isSoftware: boolean;
}

async function findAdapter(): Promise<Adapter | null> {
  const { gpu } = (globalThis as { navigator?: { gpu?: BrowserGpu } }).navigator ?? {};
  const adapter = (await gpu?.requestAdapter({ powerPreference: 'high-performance' })) ?? null;
  if (adapter === null) return null;
  const info = adapter.info ?? { vendor: '', architecture: '', description: '' };
  return { name: formatAdapter(info), isSoftware: isSoftwareAdapter(info) };
}

function resolveWebProvider(requested: ProviderName | 'auto', adapter: Adapter | null): WebProvider {
  if (requested === 'auto') return adapter !== null && !adapter.isSoftware ? 'webgpu' : 'wasm';
  const { name } = providerNamed(requested);
  if (name === 'wasm') return name;
  if (name === 'webgpu') {
    if (adapter !== null) return name;
    throw new ProviderError({
      where: 'provider webgpu',
      expected: 'a browser with a WebGPU adapter',
      got: 'none',
      remedy: 'Use wasm, or a current browser over https or on localhost.',
    });
  }
  throw new ProviderError({
    where: `provider ${name}`,
    expected: 'wasm or webgpu in a browser',
    got: name,
    remedy: 'The others run in Node.',
  });
}

/** Each entry of the package is a build of its own; the plain one has neither name and is to be removed. */
async function loadRuntime(provider: WebProvider): Promise<OnnxRuntime> {
  return provider === 'webgpu' ? await import('onnxruntime-web/webgpu') : await import('onnxruntime-web/wasm');
}

async function createInSlot(ort: OnnxRuntime, bytes: Uint8Array, provider: WebProvider): Promise<OrtSession> {
  if (provider === 'webgpu') await takeWebgpuSlot();
  try {
    return await createOrtSession(ort, bytes, provider, 1);
  } catch (cause) {
    if (provider === 'webgpu') releaseWebgpuSlot(Promise.resolve());
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
      await runBlock(ort, session, block, out, false);
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
    run(block, out) {
      const answered = last.then(() => answer(block, out));
      last = answered.catch(() => {});
      return answered;
    },
    close() {
      const closed = session.release();
      if (provider === 'webgpu') releaseWebgpuSlot(closed);
      return closed;
    },
  };
}
