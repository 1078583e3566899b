/** The WebGPU adapter of a browser, in a page or in a worker. Loads no runtime. */
import { type AdapterInfo, formatAdapter, isSoftwareAdapter } from './adapter.ts';

/** What this file uses of a browser's `navigator.gpu`. */
interface BrowserGpu {
  requestAdapter(options: { powerPreference: 'high-performance' }): Promise<{
    readonly info?: AdapterInfo;
  } | null>;
}

export interface WebAdapter {
  readonly name: string;
  /** True for software that plays a GPU: correct and slow. */
  readonly isSoftware: boolean;
}

/** Null where the browser has none. */
export async function findWebAdapter(): Promise<WebAdapter | null> {
  const { gpu } = (globalThis as { navigator?: { gpu?: BrowserGpu } }).navigator ?? {};
  const adapter = (await gpu?.requestAdapter({ powerPreference: 'high-performance' })) ?? null;
  if (adapter === null) return null;
  const info = adapter.info ?? { vendor: '', architecture: '', description: '' };
  return { name: formatAdapter(info), isSoftware: isSoftwareAdapter(info) };
}

/** Whether WebAssembly can wait for the GPU by itself here (JavaScript Promise Integration); else code for it is compiled in. */
export const canSuspend = (): boolean => 'Suspending' in ((globalThis as { WebAssembly?: object }).WebAssembly ?? {});
