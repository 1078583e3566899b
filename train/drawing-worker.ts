/** The thread that draws prompts ahead: started by `prompt-threads.ts` with {@link DrawingSettings}, told what by messages. */
import { parentPort, workerData } from 'node:worker_threads';
import type { DrawingOrder, DrawingSettings } from './prompt-threads.ts';
import { createSharedPrompts } from './shared-prompts.ts';

const port = parentPort!;
const { config, rooms } = workerData as DrawingSettings;
const draw = createSharedPrompts(config, rooms);

port.on('message', ({ step, slot }: DrawingOrder) => {
  draw[slot]!(step);
  port.postMessage(step);
});
