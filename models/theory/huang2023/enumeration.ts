/**
 * The same again for tiny K and N by summing over all count vectors with their multinomial probabilities: no integral, no
 * sampling. What {@link finiteLengthRule} is compared with.
 */
import { UsageError } from '../../errors.ts';
import type { QueryLaw } from './feature-law.ts';
import { checkLength } from './finite-length.ts';
import type { MomentRule, QueryMoments } from './mean-field.ts';

const MOST_VECTORS = 1e6;

/** Calls back with every (c_1, .., c_K) that sums to N. The array is reused. */
function forEachCounts(K: number, N: number, visit: (counts: Int32Array) => void): void {
  const counts = new Int32Array(K);
  const place = (k: number, left: number): void => {
    if (k === K - 1) {
      counts[k] = left;
      visit(counts);
      return;
    }
    for (let c = 0; c <= left; c++) {
      counts[k] = c;
      place(k + 1, left - c);
    }
  };
  place(0, N);
}

/** @throws {UsageError} for a group of several features, or more than a million count vectors. */
export function enumerationRule({ groups }: QueryLaw, N: number, nu = 1): MomentRule {
  checkLength(N);
  const K = groups.length;
  if (groups.some(({ size }) => size !== 1)) {
    throw new UsageError({
      where: 'enumeration',
      expected: 'every feature in a group of its own',
      got: 'a larger group',
    });
  }
  let vectors = 1;
  for (let k = 1; k < K; k++) vectors *= (N + k) / k;
  if (vectors > MOST_VECTORS) {
    const got = `K = ${K}, N = ${N}: ${vectors.toExponential(1)} of them`;
    throw new UsageError({ where: 'enumeration', expected: 'at most a million count vectors', got });
  }
  const logFactorials = new Float64Array(N + 1);
  for (let n = 1; n <= N; n++) logFactorials[n] = logFactorials[n - 1]! + Math.log(n);
  const logs = groups.map(({ probability }) => Math.log(probability));
  const moments: QueryMoments = { loss: 0, attention: new Float64Array(K), direction: new Float64Array(K) };
  const shares = new Float64Array(K);
  return (logits) => {
    moments.loss = 0;
    moments.attention.fill(0);
    moments.direction.fill(0);
    forEachCounts(K, N, (counts) => {
      let log = logFactorials[N]!;
      let total = 0;
      for (let n = 0; n < K; n++) {
        log += counts[n]! * logs[n]! - logFactorials[counts[n]!]!;
        shares[n] = counts[n]! * Math.exp(logits[n]!);
        total += shares[n]!;
      }
      const probability = Math.exp(log);
      let squares = 0;
      for (let n = 0; n < K; n++) {
        shares[n] = shares[n]! / total;
        squares += shares[n]! ** 2;
      }
      const own = shares[0]!;
      for (let n = 0; n < K; n++) {
        const share = shares[n]!;
        const slope = nu * share * (nu * squares - own - nu * share + (n === 0 ? 1 : 0));
        moments.attention[n] = moments.attention[n]! + probability * share;
        moments.direction[n] = moments.direction[n]! + probability * slope;
      }
      moments.loss += (probability * (1 - 2 * nu * own + nu * nu * squares)) / 2;
    });
    return moments;
  };
}
