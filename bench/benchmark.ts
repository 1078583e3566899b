/**
 * What a benchmark is: our program and its peers, asked in turn for a round of the same work, so that whatever else the
 * machine does disturbs all alike. Knows no particular work.
 */
import type { MachineCeilings } from './ceilings.ts';

/** One program that can be timed. */
export interface Contestant {
  /** What it is, in a few words. */
  readonly label: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Does some work. @returns Milliseconds per unit of it. */
  round(): Promise<number>;
  close(): Promise<void>;
}

/** What one unit of the work must at least do, whoever does it: for its share of what the machine can. */
export interface WorkCount {
  /** Additions and multiplications. */
  readonly flops: number;
  /** Numbers that must be read and written once, in bytes. */
  readonly bytes: number;
}

export interface Match {
  readonly ours: Contestant;
  /** The same peer in each of its settings; the fastest counts. */
  readonly peers: readonly Contestant[];
  /** Why there is no peer, if there should be one. */
  readonly missing: string | null;
  /** What one round's milliseconds are for. */
  readonly unit: string;
  readonly work: WorkCount | null;
  /** Sizes, and whatever else fixes the work. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface BenchmarkOptions {
  /** A setting so small that it only shows that the benchmark runs. */
  readonly isTiny: boolean;
  readonly withPeers: boolean;
}

interface Named {
  readonly name: string;
  readonly description: string;
}

/** A benchmark that is a match. */
export interface MatchBenchmark extends Named {
  /** @default 7 */
  readonly rounds?: number;
  open(options: BenchmarkOptions): Promise<Match>;
}

/** One that measures something else than who is faster. */
export interface LoneBenchmark extends Named {
  measure(options: BenchmarkOptions): Promise<Result>;
}

export type Benchmark = MatchBenchmark | LoneBenchmark;

/** One object of `npm run bench -- --json`. */
export interface Result {
  readonly name: string;
  /** Median over the rounds. */
  readonly ours: number;
  /** Median of the peer's best setting; null without a peer. */
  readonly peer: number | null;
  /** The peer's time over ours. */
  readonly ratio: number | null;
  readonly unit: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface Timing {
  readonly label: string;
  readonly median: number;
  readonly least: number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const timing = ({ label }: Contestant, values: readonly number[]): Timing => ({
  label,
  median: round(median(values)),
  least: round(Math.min(...values)),
});

/** Four digits: more would be noise. */
export const round = (value: number): number => Number(value.toPrecision(4));

/**
 * What everybody works before anything counts: code that is compiled while it runs is slow for its first hundreds of calls,
 * and whoever computes for longer than a moment has them behind him.
 */
const warmUpMilliseconds = 1500;

async function warmUp(contestant: Contestant, isTiny: boolean): Promise<void> {
  const start = performance.now();
  do await contestant.round();
  while (!isTiny && performance.now() - start < warmUpMilliseconds);
}

/**
 * Plays a match: each warms up, then all work in turn, round by round.
 * @param ceilings What the machine could do in the same minute.
 */
export async function play(
  { name, rounds = 7 }: MatchBenchmark,
  match: Match,
  { isTiny }: BenchmarkOptions,
  ceilings: () => Promise<MachineCeilings>,
): Promise<Result> {
  const all = [match.ours, ...match.peers];
  const times = all.map((): number[] => []);
  const before = await ceilings();
  try {
    for (const contestant of all) await warmUp(contestant, isTiny);
    for (let i = 0; i < (isTiny ? 1 : rounds); i++) {
      for (const [who, contestant] of all.entries()) times[who]!.push(await contestant.round());
    }
  } finally {
    for (const contestant of all) await contestant.close();
  }
  const after = await ceilings();
  const timings = all.map((contestant, who) => timing(contestant, times[who]!));
  const [ours, ...peers] = timings as [Timing, ...Timing[]];
  const best = peers.reduce<Timing | null>((a, b) => (a === null || b.median < a.median ? b : a), null);
  return {
    name,
    ours: ours.median,
    peer: best?.median ?? null,
    ratio: best === null ? null : round(best.median / ours.median),
    unit: match.unit,
    settings: {
      ...match.settings,
      ours: { ...match.ours.settings, ...ours },
      peers: match.peers.map((peer, i) => ({ ...peer.settings, ...peers[i]! })),
      ...(match.missing !== null && { missing: match.missing }),
      rounds: times[0]!.length,
      ...(match.work !== null && { ceiling: shares(match.work, ours.median, before, after) }),
    },
  };
}

/** What was reached, and its share of the better of two measurements of what the machine can. */
function shares({ flops, bytes }: WorkCount, milliseconds: number, before: MachineCeilings, after: MachineCeilings) {
  const copy = Math.max(before.copyGigabytes, after.copyGigabytes);
  const products = Math.max(before.productGigaflops, after.productGigaflops);
  const gigabytes = bytes / milliseconds / 1e6;
  const gigaflops = flops / milliseconds / 1e6;
  return {
    flops,
    bytes,
    gigabytes: round(gigabytes),
    gigaflops: round(gigaflops),
    copyGigabytes: round(copy),
    productGigaflops: round(products),
    shareOfCopy: round(gigabytes / copy),
    shareOfProducts: round(gigaflops / products),
  };
}
