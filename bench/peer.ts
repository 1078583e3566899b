/**
 * Peers: Python programs under `bench/peers/` that do the same work with PyTorch. A process is kept alive and asked for a
 * round at a time. Knows how to start one and what to say where PyTorch is missing.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { BenchmarkOptions, Contestant, Match } from './benchmark.ts';

/** Debian's own Python, which sees Debian's packages; elsewhere the first one on the path. */
export const python =
  process.env['ICL_BENCH_PYTHON'] ?? (existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3');

export const installCommand =
  'apt-get install -y --no-install-recommends python3-torch python3-numpy libopenblas0-pthread';

let presence: Promise<string | null> | undefined;

/** Why there is no PyTorch here, in words; null if there is. */
export function missingPyTorch(): Promise<string | null> {
  presence ??= promisify(execFile)(python, ['-c', 'import torch'], { timeout: 60_000 }).then(
    () => null,
    () => `${python} has no PyTorch. To install it: ${installCommand}`,
  );
  return presence;
}

export interface PeerRequest {
  /** File under `bench/peers/`, without its ending. */
  readonly program: string;
  /** Command line arguments, by name. */
  readonly sizes: Readonly<Record<string, number | string>>;
  /** What a round does, and how often. */
  readonly work: string;
  readonly count: number;
  /** OPENBLAS_NUM_THREADS; null: its own default. */
  readonly blasThreads: number | null;
  readonly flags?: readonly string[];
}

/** Starts a peer. @throws {Error} with the end of what it printed, if it does not come up. */
export async function startPeer(request: PeerRequest): Promise<Contestant> {
  const { program, sizes, work, count, blasThreads, flags = [] } = request;
  const path = fileURLToPath(new URL(`../../bench/peers/${program}.py`, import.meta.url));
  const words = Object.entries(sizes).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const { OPENBLAS_NUM_THREADS: _, ...environment } = process.env;
  const child = spawn(python, [path, ...words, ...flags], {
    env: { ...environment, ...(blasThreads !== null && { OPENBLAS_NUM_THREADS: String(blasThreads) }) },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const lines = linesOf(child);
  const { ready } = (await lines.next()) as { ready: Record<string, unknown> };
  const blas = blasThreads === null ? 'default' : String(blasThreads);
  return {
    label: `${String(ready['framework'])}, OPENBLAS_NUM_THREADS ${blas}`,
    settings: { ...ready, program: `${program}.py`, work, OPENBLAS_NUM_THREADS: blas, flags },
    async round() {
      child.stdin.write(`${JSON.stringify({ work, count })}\n`);
      return ((await lines.next()) as { milliseconds: number }).milliseconds;
    },
    async close() {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.stdin.end();
      await ended;
    },
  };
}

/** The lines a child prints, as JSON, one by one. */
function linesOf(child: ChildProcess): { next(): Promise<unknown> } {
  const reader = createInterface({ input: child.stdout! });
  const ready: unknown[] = [];
  const waiting: { resolve(value: unknown): void; reject(error: Error): void }[] = [];
  let errors = '';
  let failure: Error | undefined;
  child.stderr!.on('data', (text) => {
    errors = `${errors}${text}`.slice(-2000);
  });
  reader.on('line', (line) => {
    const value: unknown = JSON.parse(line);
    const next = waiting.shift();
    if (next === undefined) ready.push(value);
    else next.resolve(value);
  });
  const fail = (why: string) => {
    failure ??= new Error(`${child.spawnargs.slice(1, 2).join()} ${why}. ${errors.trim()}`);
    for (const { reject } of waiting.splice(0)) reject(failure);
  };
  child.once('error', (error) => fail(error.message));
  child.once('close', (code) => fail(`ended with code ${code}`));
  return {
    next() {
      if (ready.length > 0) return Promise.resolve(ready.shift());
      if (failure !== undefined) return Promise.reject(failure);
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
  };
}

/**
 * A peer in the two settings in which PyTorch with OpenBLAS is fast on a small machine: one thread of its own, with
 * OpenBLAS's threads as they are by default and with one. More threads of PyTorch's own are slower on steps of this size.
 */
export async function peersOf(
  options: BenchmarkOptions,
  request: Omit<PeerRequest, 'blasThreads'>,
): Promise<Pick<Match, 'peers' | 'missing'>> {
  if (!options.withPeers) return { peers: [], missing: 'not asked for' };
  const missing = await missingPyTorch();
  if (missing !== null) return { peers: [], missing };
  const peers = await Promise.all(
    [null, 1].map((blasThreads) => {
      const sizes = { ...request.sizes, threads: 1 };
      return startPeer({ ...request, sizes, blasThreads });
    }),
  );
  return { peers, missing: null };
}
