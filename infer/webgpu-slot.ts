/**
 * One WebGPU session at a time in a Node process: two that run at once crash ONNX Runtime's provider (its issues 31627 and
 * 32561). A second one is refused rather than kept waiting: whoever holds both would wait for ever. One that follows a
 * session that is being closed waits for that.
 */
import { ProviderError } from '../models/errors.ts';

let isTaken = false;
let closing: Promise<void> = Promise.resolve();

/** Takes the slot. @throws {ProviderError} while another session has it and is not being closed. */
export async function takeWebgpuSlot(): Promise<void> {
  if (isTaken) throw slotIsTaken();
  isTaken = true;
  await closing;
}

/** Gives the slot back; the next session may open once `done` has settled. */
export function releaseWebgpuSlot(done: Promise<unknown>): void {
  isTaken = false;
  closing = done.then(
    () => {},
    () => {},
  );
}

function slotIsTaken(): ProviderError {
  return new ProviderError({
    where: 'provider webgpu',
    expected: 'at most one open WebGPU session in a process',
    got: 'a second',
    remedy: 'Close the first one before opening another; it can run any number of batches.',
  });
}
