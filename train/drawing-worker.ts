/** The thread that draws prompts ahead: started by `prompt-threads.ts` with {@link DrawingSettings}, told what by messages. */
import { parentPort, workerData } from 'node:worker_threads';
import type { DrawingOrder, DrawingSettings } from './prompt-threads.ts';
import { createTrainingPrompts } from './training-prompts.ts';

const port = parentPort!;
const { config, batches } = workerData as DrawingSettings;
const draw = batches.map((batch) => createTrainingPrompts(config, batch));

port.on('message', ({ step, slot }: DrawingOrder) => {
  draw[slot]!(step);
  port.postMessage(step);
});
