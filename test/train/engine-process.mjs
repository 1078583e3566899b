/**
 * Steps of the engine `onnx` in a process of its own, from the compiled code:
 * `node engine-process.mjs <device> <steps> <config as JSON>`. Prints one JSON line: losses, parameters, and memory and tensors on
 * the way, measured when the garbage of all threads has been collected.
 */
import { allocateBatch } from '../../dist/models/prompts.js';
import { createSampler } from '../../dist/models/tasks/index.js';
import { parseConfig } from '../../dist/train/config.js';
import { createEngine } from '../../dist/train/engines.js';
import { initialState } from '../../dist/train/train.js';
import { stepOf } from '../../dist/train/training-step.js';
import { garbageCollector } from '../garbage.mjs';

const [device, count, json] = process.argv.slice(2);
const steps = Number(count);
const config = parseConfig('argument', JSON.parse(json));
const { batch, contextLength, model, optimizer, seed } = config;
const engine = await createEngine('onnx', { device, ...stepOf(config) });
engine.loadState(initialState(config));
const sampler = createSampler(config.task);
const prompts = allocateBatch({ batch, context: contextLength, queries: 1, dimension: model.dimension });
// On the CPU the thread of the session was started by another.
const collectGarbage = await garbageCollector({ threads: device === 'cpu' ? 2 : 1 });
const losses = [];
const marks = [];
const pending = [];
const readOldest = async () => losses.push((await pending.shift().read()).loss);
for (let step = 0; step < steps; step++) {
  sampler.fill({ seed, stream: 0 }, step * batch, prompts);
  pending.push(engine.step(prompts, engine.scalars(optimizer.learningRate, step)));
  while (pending.length > engine.pipelineDepth) await readOldest();
  if ((step + 1) % (steps / 4) === 0) {
    while (pending.length > 0) await readOldest();
    await collectGarbage();
    marks.push({ tensors: engine.tensorCount(), bytes: process.memoryUsage.rss() });
  }
}
const { parameters } = await engine.readState();
engine.dispose();
const plain = Object.fromEntries(Object.entries(parameters).map(([name, values]) => [name, [...values]]));
const { adapter, runtime } = engine;
process.stdout.write(`${JSON.stringify({ device, adapter, runtime, losses, marks, parameters: plain })}\n`);
