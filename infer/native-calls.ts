/**
 * Calls into native code that must come to their end. ONNX Runtime's binding for Node aborts the process if the thread that is in
 * one of its calls is stopped: by `process.exit()`, by an error that nobody catches, or by whoever ends the thread. So a thread says
 * when it is in such a call, and whoever wants it gone waits until it is not, and keeps it from the next one.
 */

/** What a thread and those who may stop it both see, in memory that they share. */
export type CallState = Int32Array;

/** Places in it: whether the thread is in a call, and whether it must not begin another. */
const inCall = 0;
const isOver = 1;

export const allocateCallState = (): CallState => new Int32Array(new SharedArrayBuffer(8));

/** Does native work to its end. */
export type NativeCall = <T>(work: () => Promise<T>) => Promise<T>;

/** The thread's end: calls one after the other. Once it is to be stopped a call never returns; its thread will not see it. */
export function nativeCalls(state: CallState): NativeCall {
  return async (work) => {
    // First the one, then the other: whoever stops the thread does it the other way round, so that one of both sees the other.
    Atomics.store(state, inCall, 1);
    try {
      if (Atomics.load(state, isOver) === 1) return await new Promise<never>(() => end(state));
      return await work();
    } finally {
      end(state);
    }
  };
}

function end(state: CallState): void {
  Atomics.store(state, inCall, 0);
  Atomics.notify(state, inCall);
}

/** A call takes as long as what is computed at a time. One that hangs must not keep a process from its end. */
const patience = 10_000;

/** Keeps threads from further calls, and holds this thread up until none is in one. For a process that is about to exit. */
export function awaitCallsNow(states: Iterable<CallState>): void {
  const all = [...states];
  const deadline = performance.now() + patience;
  for (const state of all) Atomics.store(state, isOver, 1);
  for (const state of all) Atomics.wait(state, inCall, 1, Math.max(0, deadline - performance.now()));
}

/** Keeps a thread from further calls. @returns Whether it is in none. */
export function stopCalls(state: CallState): boolean {
  Atomics.store(state, isOver, 1);
  return Atomics.load(state, inCall) === 0;
}
