/**
 * WebGPU sessions of one thread of a browser take turns: any number may be open, but two that run at once fail in ONNX
 * Runtime's buffer manager, and nothing answers after that. Opening, running and closing are each a turn. In Node, where
 * sessions are on threads of their own, there is one session at a time instead: `webgpu-slot.ts`.
 */
import type { WebProvider } from './web-runtime.ts';

let last: Promise<unknown> = Promise.resolve();

/** Does `work` after everything that asked before; at once for a provider that needs no turns. */
export function inTurn<Result>(provider: WebProvider, work: () => Promise<Result>): Promise<Result> {
  if (provider !== 'webgpu') return work();
  const done = last.then(work);
  last = done.catch(() => {});
  return done;
}
