/** How long the event loop was kept from its turn, by this process and not by others on the machine. */
import { readFileSync } from 'node:fs';

/** Milliseconds the main thread has waited for a processor so far; 0 where the system does not say. */
function waitedForProcessor(): number {
  try {
    // "time on a processor, time waiting for one, time slices", in nanoseconds. The main thread's id is the process's.
    const schedule = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
    return Number(schedule[1]) / 1e6;
  } catch {
    return 0;
  }
}

/**
 * The longest time, in milliseconds, between two turns of the event loop while `work` is under way, less what the system
 * gave to other threads in that time: with more busy threads than cores even an idle loop waits for 50 ms and more.
 */
export async function longestStall(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  let waited = waitedForProcessor();
  const turn = () => {
    const now = performance.now();
    const nowWaited = waitedForProcessor();
    longest = Math.max(longest, now - last - (nowWaited - waited));
    last = now;
    waited = nowWaited;
  };
  const timer = setInterval(turn, 2);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  turn();
  return longest;
}
