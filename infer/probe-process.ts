/**
 * The program behind `probeProvider`: runs the probe graph on the provider named by its argument and prints what happened
 * as one JSON line. A process of its own, since a GPU driver may crash or print.
 */
import type { AdapterInfo } from './adapter.ts';
import { condense, createOrtSession, type OnnxRuntime, runOptions, runtimeVersion } from './onnxruntime.ts';
import { probeGraph } from './probe-graph.ts';
import { type ProviderName, providerNamed } from './provider-table.ts';

/** What the process prints. */
export interface ProbeReport {
  /** Null if the provider works, otherwise why it does not. */
  readonly problem: string | null;
  readonly runtime: string | null;
  /** As the adapter describes itself; null where there is none to ask. */
  readonly adapter: AdapterInfo | null;
}

/** What the `webgpu` package gives us; its own types need those of a browser. */
interface Gpu {
  requestAdapter(options: { powerPreference: 'high-performance' }): Promise<{
    readonly info: AdapterInfo;
  } | null>;
}

/** The adapter that Dawn picks: ONNX Runtime's provider is built on Dawn too, and asks with the same preference. */
async function describeAdapter(): Promise<AdapterInfo | null> {
  try {
    const { create } = (await import('webgpu')) as unknown as { create(options: string[]): Gpu };
    const adapter = await create([]).requestAdapter({ powerPreference: 'high-performance' });
    if (adapter === null) return null;
    const { vendor, architecture, description, isFallbackAdapter } = adapter.info;
    return { vendor, architecture, description, isFallbackAdapter };
  } catch {
    return null; // The provider itself is asked next; without this package only the adapter's name is missing.
  }
}

async function probe(provider: ProviderName): Promise<ProbeReport> {
  let runtime: string | null = null;
  const adapter = provider === 'webgpu' ? await describeAdapter() : null;
  try {
    const ort: OnnxRuntime =
      providerNamed(provider).runtime === 'onnxruntime-web'
        ? await import('onnxruntime-web/wasm')
        : await import('onnxruntime-node');
    runtime = runtimeVersion(ort);
    const session = await createOrtSession(ort, probeGraph, provider, 1);
    const x = new ort.Tensor('float32', Float32Array.of(2, 3), [2]);
    const { y } = await session.run({ x }, runOptions);
    const got = Array.from(y?.data as Float32Array).join(', ');
    await session.release();
    return { problem: got === '4, 9' ? null : `wrong numbers: 2^2, 3^2 = ${got}`, runtime, adapter };
  } catch (error) {
    return { problem: condense(error), runtime, adapter };
  }
}

const report = await probe(process.argv[2] as ProviderName);
// Dawn keeps the process alive otherwise.
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
