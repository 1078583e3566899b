/**
 * Runs ONNX files wholly on ONNX Runtime's WebGPU provider, in a process of its own: a driver that crashes takes only
 * this process with it. Reads jobs `[{model, feeds: {name: {dims, data}}}]` from the file named first; prints for each
 * what came out, as JSON.
 */
import { readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-node';

const results = [];
for (const { model, feeds } of JSON.parse(readFileSync(process.argv[2], 'utf8'))) {
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ['webgpu'],
    logSeverityLevel: 3,
    // Without this, nodes that have no WebGPU kernel would run on the CPU unseen.
    extra: { session: { disable_cpu_ep_fallback: '1' } },
  });
  const tensors = Object.entries(feeds).map(([name, { dims, data }]) => [
    name,
    new ort.Tensor('float32', Float32Array.from(data), dims),
  ]);
  const outputs = await session.run(Object.fromEntries(tensors));
  results.push(
    Object.fromEntries(Object.entries(outputs).map(([name, { dims, data }]) => [name, { dims, data: [...data] }])),
  );
}
process.stdout.write(JSON.stringify(results), () => process.exit(0));
