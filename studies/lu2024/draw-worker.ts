/** A thread that draws: one job in, one result out. Started by `draws.ts`. */
import { parentPort } from 'node:worker_threads';
import { type DrawJob, runDraw } from './draws.ts';

const port = parentPort!;
port.on('message', (job: DrawJob) => {
  try {
    port.postMessage(runDraw(job));
  } catch (failure) {
    port.postMessage({ failure });
  }
});
