/**
 * The engine `onnx`: the training-step graph on ONNX Runtime, in a thread of its own. The state stays there, on a GPU if
 * that is the device; a step sends a batch and gets two numbers back. While one step computes, the next batch is drawn.
 */
import { availableParallelism } from 'node:os';
import { openStatefulSession } from '../infer/stateful-session.ts';
import type { OnnxDevice } from './engine-table.ts';
import type { Engine, EngineOptions } from './engines.ts';
import { createGraphEngine, prepareStep } from './graph-engine.ts';
import { stepsUnderWay } from './training-prompts.ts';

/**
 * Steps under way before the oldest is read: the next batches are drawn meanwhile; a GPU is asked for reports more rarely. One
 * message a step: with eight in one message, on two busy cores and 256 prompts of 40 pairs in 20 dimensions, the thread that
 * draws took 1.76 ms a step instead of 1.79, less than its times scatter. A loop of ten steps inside the graph saved 1 %.
 */
const pipelineDepths: Readonly<Record<OnnxDevice, number>> = { cpu: 2, cuda: 4, webgpu: 8 };

/** On the CPU the more, the shorter a step is: see {@link stepsUnderWay}. */
function pipelineDepth(device: OnnxDevice, parameters: number, options: EngineOptions): number {
  const { batch, contextLength, sizes } = options;
  const isKnown = device === 'cpu' && batch !== undefined && contextLength !== undefined;
  return isKnown && parameters < parametersForThreads
    ? stepsUnderWay({ batch, contextLength, dimension: sizes.dimension })
    : pipelineDepths[device];
}

/** Below this many parameters a step is so short that a second thread only costs. */
const parametersForThreads = 50_000;

/** @throws {ProviderError} if the device does not work here. */
export async function createOnnxEngine(options: EngineOptions): Promise<Engine> {
  const device = options.device as OnnxDevice;
  const { step, graph } = prepareStep(options);
  const threads = step.size < parametersForThreads ? 1 : availableParallelism();
  const session = await openStatefulSession(graph, { provider: device, threads });
  return createGraphEngine({
    device,
    pipelineDepth: pipelineDepth(device, step.size, options),
    options,
    step,
    session,
  });
}
