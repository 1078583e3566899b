/** Where a benchmark ran: for the record beside its numbers. */
import { availableParallelism, cpus, loadavg, release } from 'node:os';
import { round } from './benchmark.ts';

export interface Environment {
  readonly processor: string;
  readonly cores: number;
  readonly node: string;
  readonly system: string;
  readonly date: string;
}

export function environmentHere(): Environment {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    node: process.versions.node,
    system: `${process.platform} ${release()}`,
    date: new Date().toISOString().slice(0, 10),
  };
}

/** How many processes wanted a core over the last minute: more than there are cores, and times are too long. */
export const loadHere = (): number => round(loadavg()[0] ?? 0);
