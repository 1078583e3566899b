/**
 * Prompts drawn in two threads, in Node: this one draws every other step's and another thread the rest, ahead of time, into
 * memory that both see. While a third runs the steps, drawing is what a short step waits for. The numbers are the same
 * however they are drawn: prompt i of a stream is a function of i.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { compiledFile } from '../infer/compiled.ts';
import { allocateSharedSteps, createSharedPrompts, type SharedSteps } from './shared-prompts.ts';
import { createPromptSource, type PromptSource, promptNumber, type Source, stepsUnderWay } from './training-prompts.ts';

/** What the thread is started with: the law, and the memory of its batches. */
export interface DrawingSettings {
  readonly config: Source;
  readonly rooms: SharedSteps;
}

/** Fill a batch with a step's prompts. The answer is the step. */
export interface DrawingOrder {
  readonly step: number;
  readonly slot: number;
}

/** Steps of fewer covariates are drawn faster than a message takes. */
const covariatesForThreads = 100_000;

/** Three batches lie in one piece of memory, of which WebAssembly has at most 4 GiB. */
const mostBytesForThreads = 2 ** 30;

interface ThreadedRun extends Source {
  readonly steps: number;
  readonly model: { readonly dimension: number };
}

/** The prompts of a run from a step on, by as many threads as pay. */
export function openPromptSource(config: ThreadedRun, firstStep: number): PromptSource {
  const { batch, contextLength, model, trainingPrompts } = config;
  const isLarge = batch * (contextLength + 1) * model.dimension >= covariatesForThreads;
  // The same prompts at every step are drawn once.
  const isRedrawn = trainingPrompts === null || promptNumber(config, 1) !== promptNumber(config, 0);
  const fits = 4 * batch * (contextLength + 1) * model.dimension <= mostBytesForThreads;
  const pays = isLarge && fits && isRedrawn && availableParallelism() > 1;
  return pays ? openThreadedSource(config, firstStep) : createPromptSource(config);
}

/** The same in two threads whatever the size. */
export function openThreadedSource({ steps, ...config }: ThreadedRun, firstStep: number): PromptSource {
  const { batch, contextLength, seed, task, trainingPrompts } = config;
  const source: Source = { batch, contextLength, seed, task, trainingPrompts };
  const kept = stepsUnderWay({ batch, contextLength, dimension: task.dimension });
  /** Steps that the other thread is told of ahead: they are drawn while earlier ones are under way. */
  const ordersAhead = 1 + kept / 2;
  /** Batches of either thread, for every other step: those of the steps under way stay while the next ones are drawn. */
  const ownSlots = 1 + kept / 2;
  const slots = ordersAhead + kept / 2;
  const rooms = allocateSharedSteps(source, slots);
  const workerData: DrawingSettings = { config: source, rooms };
  const worker = new Worker(compiledFile(import.meta.url, 'drawing-worker'), { workerData, execArgv: [] });
  const drawHere = createSharedPrompts(source, allocateSharedSteps(source, ownSlots));
  /** By step: told when the other thread has drawn it. */
  const orders = new Map<number, { readonly promise: Promise<void>; resolve(): void; reject(error: Error): void }>();
  let failure: Error | undefined;
  let isClosing = false;

  const slotOf = (step: number, count: number): number => Math.floor((step - firstStep) / 2) % count;
  const order = (step: number): void => {
    if (step >= steps) return;
    let settle = {} as { resolve(): void; reject(error: Error): void };
    const promise = new Promise<void>((resolve, reject) => {
      settle = { resolve, reject };
    });
    promise.catch(() => {}); // Thrown where it is awaited.
    orders.set(step, { promise, ...settle });
    worker.postMessage({ step, slot: slotOf(step, slots) } satisfies DrawingOrder);
  };
  const fail = (error: Error): void => {
    if (isClosing) return;
    failure ??= error;
    for (const { reject } of orders.values()) reject(failure);
  };
  worker.on('message', (step: number) => orders.get(step)?.resolve());
  worker.on('error', fail);
  worker.on('exit', (code) => fail(new Error(`the thread that draws prompts ended with code ${code}`)));
  for (let i = 0; i < ordersAhead; i++) order(firstStep + 1 + 2 * i);

  return {
    async next(step) {
      if (failure !== undefined) throw failure;
      if ((step - firstStep) % 2 === 0) {
        if (step > firstStep) order(step - 1 + 2 * ordersAhead);
        return drawHere[slotOf(step, ownSlots)]!(step);
      }
      await orders.get(step)!.promise;
      orders.delete(step);
      return rooms.batches[slotOf(step, slots)]!;
    },
    async close() {
      isClosing = true;
      await worker.terminate();
    },
  };
}
