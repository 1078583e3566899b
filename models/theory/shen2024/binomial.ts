/** Quantiles of binomial laws by inversion from the mode: exact, monotone in u, some sqrt(n) steps each. */

interface Mode {
  readonly at: number;
  readonly mass: number;
  /** P(X <= at). */
  readonly cumulative: number;
}

/** Sums the masses' ratios to the mode's on both sides, until they no longer count. */
function modeOf(trials: number, chance: number): Mode {
  const at = Math.min(trials, Math.floor((trials + 1) * chance));
  const odds = chance / (1 - chance);
  let [below, above] = [0, 0];
  for (let k = at, ratio = 1; k > 0 && ratio > 1e-18; k--) below += ratio *= k / ((trials - k + 1) * odds);
  for (let k = at, ratio = 1; k < trials && ratio > 1e-18; k++) above += ratio *= ((trials - k) * odds) / (k + 1);
  const mass = 1 / (1 + below + above);
  return { at, mass, cumulative: mass * (1 + below) };
}

/** The smallest x with P(X <= x) >= u, as a function of (trials, chance, u) that remembers the modes it has met. */
export function binomialQuantiles(): (trials: number, chance: number, u: number) => number {
  const modes = new Map<number, Map<number, Mode>>();
  const remembered = (trials: number, chance: number): Mode => {
    const byTrials = modes.get(chance) ?? new Map<number, Mode>();
    modes.set(chance, byTrials);
    const mode = byTrials.get(trials) ?? modeOf(trials, chance);
    byTrials.set(trials, mode);
    return mode;
  };
  return (trials, chance, u) => {
    if (trials === 0 || chance <= 0) return 0;
    if (chance >= 1) return trials;
    const odds = chance / (1 - chance);
    let { at, mass, cumulative } = remembered(trials, chance);
    while (u > cumulative && at < trials && mass > 0) {
      mass *= ((trials - at) * odds) / (at + 1);
      at++;
      cumulative += mass;
    }
    while (at > 0 && u <= cumulative - mass) {
      cumulative -= mass;
      mass *= at / ((trials - at + 1) * odds);
      at--;
    }
    return at;
  };
}
