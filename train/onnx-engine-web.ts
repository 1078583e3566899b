/** The engine `onnx` in a browser: the same graph on onnxruntime-web, on its `wasm` or `webgpu`, in the page's own thread. */
import type { ProviderName } from '../infer/provider-table.ts';
import { openStatefulSessionWeb } from '../infer/stateful-session-web.ts';
import type { Engine, EngineOptions } from './engines.ts';
import { createGraphEngine, prepareStep } from './graph-engine.ts';

export interface WebEngineOptions extends Omit<EngineOptions, 'device'> {
  /** `auto` is webgpu if the browser has a hardware adapter, else wasm. @default 'auto' */
  readonly device?: ProviderName | 'auto';
  /** Where the page serves onnxruntime-web's `.wasm` files, ending in `/`; null: beside its script. @default null */
  readonly wasmPaths?: string | null;
}

/** A GPU is asked for reports more rarely; without one a step is over before the next can begin. */
const pipelineDepths = { wasm: 0, webgpu: 8 } as const;

/**
 * An engine with all parameters 0 until `loadState`.
 * @throws {ProviderError} if the device does not work in this browser.
 */
export async function createWebEngine(options: WebEngineOptions): Promise<Engine> {
  const { device = 'auto', wasmPaths = null } = options;
  const { step, graph } = prepareStep(options);
  const session = await openStatefulSessionWeb(graph, { provider: device, wasmPaths });
  const provider = session.provider as keyof typeof pipelineDepths;
  return createGraphEngine({ device: provider, pipelineDepth: pipelineDepths[provider], options, step, session });
}
