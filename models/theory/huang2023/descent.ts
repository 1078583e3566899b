/**
 * Gradient descent from Q = 0 on the population loss. Different queries do not interact, so a query's logits evolve alone:
 *
 *   q_n <- q_n + eta p_k (-dL_k/dq_n),   all 0 at first, and their sum stays 0.
 *
 * Source: the updates of section 5 (bilinear attention weights); with the rule of `mean-field.ts`, `finite-length.ts` or
 * `enumeration.ts` for the expectation.
 */
import { UsageError } from '../../errors.ts';
import type { QueryLaw } from './feature-law.ts';
import type { MomentRule, QueryMoments } from './mean-field.ts';

/** A query's state before step `step` (0: the start). Logits as in the groups: A_k, then B_{k,n} per group. */
export interface QueryState {
  readonly step: number;
  readonly logits: Float64Array;
  readonly moments: QueryMoments;
}

export interface Descent {
  readonly law: QueryLaw;
  readonly rule: MomentRule;
  /** Learning rate. */
  readonly eta: number;
}

/**
 * Descends until `visit` says to stop, or through step `steps`. The state's arrays are reused: copy what is to be kept.
 * @param visit Sees the state at every step, the start included; returns false to stop.
 * @returns the step it stopped at.   @throws {UsageError} unless eta > 0.
 */
export function descend({ law, rule, eta }: Descent, steps: number, visit: (state: QueryState) => boolean): number {
  if (!(eta > 0 && Number.isFinite(eta))) {
    throw new UsageError({ where: 'eta', expected: 'a learning rate above 0', got: String(eta) });
  }
  const count = law.groups.length;
  const logits = new Float64Array(count);
  const rate = eta * law.groups[0]!.probability;
  const state = { step: 0, logits, moments: rule(logits) };
  for (; ; state.step++) {
    state.moments = rule(logits);
    if (!visit(state) || state.step >= steps) return state.step;
    const { direction } = state.moments;
    for (let g = 0; g < count; g++) logits[g] = logits[g]! + rate * direction[g]!;
  }
}

/** The states at ascending steps, copied. */
export function descentStates(descent: Descent, steps: readonly number[]): QueryState[] {
  const wanted = new Set(steps);
  const states: QueryState[] = [];
  descend(descent, Math.max(...steps), ({ step, logits, moments: { loss, attention, direction } }) => {
    if (wanted.has(step)) {
      const moments = { loss, attention: attention.slice(), direction: direction.slice() };
      states.push({ step, logits: logits.slice(), moments });
    }
    return true;
  });
  return states;
}
