/**
 * Trains in a process of its own, from the compiled code: `node train-process.mjs <folder> <config as JSON>`. Continues what
 * is in the folder. Prints `training` when steps are about to begin, then the result. SIGINT interrupts; SIGTERM exits with 3 at once.
 */
import { parseConfig } from '../../dist/train/config.js';
import { train } from '../../dist/train/train.js';

const [folder, config] = process.argv.slice(2);
const controller = new AbortController();
process.once('SIGINT', () => controller.abort());
process.once('SIGTERM', () => process.exit(3));
let isFirst = true;
const result = await train({
  folder,
  config: parseConfig('argument', JSON.parse(config)),
  resume: true,
  signal: controller.signal,
  onProgress: () => {
    if (isFirst) process.stdout.write('training\n');
    isFirst = false;
  },
});
const { steps, interrupted, resumedFrom, wasFinished, engine, device } = result;
process.stdout.write(`${JSON.stringify({ steps, interrupted, resumedFrom, wasFinished, engine, device })}\n`);
