/**
 * Whether ONNX Runtime computes from memory that threads share. Node's interface to native code refused such memory before
 * 24.9; what lies in it is then copied first. Tried, not read off a version: it is decided by two programs together.
 */
import { createOrtSession, type OnnxRuntime } from './onnxruntime.ts';
import { probeGraph } from './probe-graph.ts';

/** Asks the build of ONNX Runtime for Node, on the CPU; an error of its own means no. */
export async function takesSharedMemory(ort: OnnxRuntime): Promise<boolean> {
  const session = await createOrtSession(ort, probeGraph, 'cpu', 1);
  try {
    const values = new Float32Array(new SharedArrayBuffer(8));
    values.set([2, 3]);
    const { y } = await session.run({ x: new ort.Tensor('float32', values, [2]) });
    return Array.from(y!.data as Float32Array).join() === '4,9';
  } catch {
    return false;
  } finally {
    await session.release();
  }
}
