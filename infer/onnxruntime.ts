/**
 * How this library calls ONNX Runtime: the options of a session, its version, and its errors in one line. The runtime
 * itself, `onnxruntime-node` or `onnxruntime-web`, is an argument; both have this interface.
 */
import type * as OrtNode from 'onnxruntime-node';
import { type ProviderName, providerNamed } from './provider-table.ts';

/** What both packages export. */
export type OnnxRuntime = Pick<typeof OrtNode, 'InferenceSession' | 'Tensor' | 'env'>;
export type OrtSession = OrtNode.InferenceSession;
export type OrtTensor = OrtNode.Tensor;
/** Where a session leaves each of its outputs, by name; all in this process's memory unless it says otherwise. */
export type OutputLocations = Readonly<Record<string, 'cpu' | 'gpu-buffer'>>;

/** ONNX Runtime's own log is switched off: it would write to stderr what our errors say. */
const fatalOnly = 4;
/** A run that has none logs as its session does in Node, at 3 us less; onnxruntime-web would then log warnings. */
export const runOptions: OrtNode.InferenceSession.RunOptions = { logSeverityLevel: fatalOnly };

/**
 * Weights are not packed when a session opens: ONNX Runtime would then take a product with a vector for one with a matrix,
 * at two to four times the cost, and packing during a run costs nothing that could be measured.
 * Numbers below 1e-38 are 0: its softmax gives such to what a mask excludes, and a processor takes a hundred cycles for each, in
 * the products that follow too. The calling thread's arithmetic becomes so as well, though only in the first session of a process:
 * in Node sessions are opened in threads that start as `session-thread.ts` says, or in a process of their own.
 * @param threads Threads of the CPU provider. They sleep when idle: spinning is no faster, and slows every other process.
 */
function sessionOptions(
  provider: ProviderName,
  threads: number,
  outputLocations?: OutputLocations,
): OrtNode.InferenceSession.SessionOptions {
  const configuration = providerNamed(provider).canFallBack
    ? { disable_cpu_ep_fallback: '1' }
    : { intra_op: { allow_spinning: '0' }, disable_prepacking: '1', set_denormal_as_zero: '1' };
  return {
    executionProviders: [provider],
    intraOpNumThreads: threads,
    logSeverityLevel: fatalOnly,
    extra: { session: configuration },
    ...(outputLocations !== undefined && { preferredOutputLocation: outputLocations }),
  };
}

/** Opens a session. Errors are ONNX Runtime's own; see {@link condense}. */
export function createOrtSession(
  ort: OnnxRuntime,
  bytes: Uint8Array,
  provider: ProviderName,
  threads: number,
  outputLocations?: OutputLocations,
): Promise<OrtSession> {
  ort.env.logLevel = 'fatal';
  ort.env.wasm.numThreads = 1;
  return ort.InferenceSession.create(bytes, sessionOptions(provider, threads, outputLocations));
}

/** `onnxruntime-node 1.30.0` */
export function runtimeVersion(ort: OnnxRuntime): string {
  const { node, web } = ort.env.versions;
  return node !== undefined ? `onnxruntime-node ${node}` : `onnxruntime-web ${web ?? 'of unknown version'}`;
}

/** An error of a native library as one line without source locations and colours. */
export function condense(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const line = text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal colours begin with the escape character.
    .replace(/\u001b\[[0-9;]*m/g, '')
    .replace(/\s+/g, ' ')
    .replace(/^\/\S*\.(cc|cpp|h):\d+ .*? was false\. /, '')
    .replace(/^(Can't create a session|failed to call OrtRun\(\))\. ERROR_CODE: \d+, ERROR_MESSAGE: /, '')
    .trim()
    .replace(/\.+$/, '');
  return line.length > 300 ? `${line.slice(0, 297)}...` : line === '' ? 'an error without a message' : line;
}
