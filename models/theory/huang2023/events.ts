/**
 * When the phases of an under-represented query end, and when losses fall below given values. Four phases (Theorem 3.3):
 * I the dominant feature loses attention, II the leading influence switches, III the target's logit grows, IV convergence.
 *
 * The events, each the first step at which it holds: `leadingInfluenceSwitches` alpha_k > |beta_{k,1}|;
 * `dominantSuppressed` B_{k,1} < -0.49 log K; `logitsSeparate` A_k - B_{k,1} > 1.01 log K; `targetGrown` A_k > log K.
 * Why 0.49: while B_{k,1} falls alone, e^{-2B} grows linearly and |beta_{k,1}| = p_k Attn_1^2 meets alpha_k = p_k Attn_k where
 * Attn_1^2 ~ 1/K, that is B_{k,1} = -½ log K; 0.49 is just short of it. Constants such as p_1/(1 - p_1) = 1 are left out there:
 * for other p_1 the thresholds are off by its logarithm, and at finite K the four may come in another order.
 *
 * Two more say the same by attention alone and need no constants: `attentionOvertakes` Attn_k > Attn_1, `targetLeads`
 * Attn_k > ½. The leading influence has switched by the time attention overtakes, since at Attn_k = Attn_1 = a
 * (alpha_k - |beta_{k,1}|)/p_k = a (1 - 4a + 2a^2 + 2s) >= a (1 - 2a)^2 with s >= a^2; and Attn_k > ½ leaves less than ½ for
 * Attn_1. So these three are in one order always.
 */
import { UsageError } from '../../errors.ts';
import { type Descent, descend } from './descent.ts';

export const eventNames = [
  'leadingInfluenceSwitches',
  'dominantSuppressed',
  'logitsSeparate',
  'targetGrown',
  'attentionOvertakes',
  'targetLeads',
] as const;
export type EventName = (typeof eventNames)[number];

/** A query's state when something happened. */
export interface QueryEvent {
  readonly step: number;
  /** A_k */
  readonly target: number;
  /** B_{k,1}; NaN for a query whose features are alike or that is the dominant one. */
  readonly dominant: number;
  /** Attn_k */
  readonly attention: number;
  readonly loss: number;
}

export interface Events {
  /** What did not happen within the steps is absent. */
  readonly events: Partial<Record<EventName, QueryEvent>>;
  /** By target loss, in the order they were given. */
  readonly lossBelow: readonly { readonly loss: number; readonly event: QueryEvent | null }[];
  /** Steps that were computed. */
  readonly steps: number;
}

/** When all else has happened: so many times as long is waited for B_{k,1} to reach its threshold. */
const PATIENCE = 3;

/** Steps of the reduced mean field that some seconds compute. */
const MOST_STEPS = 1e8;

/**
 * Descends until every event has happened.
 * @param descent With groups target, dominant, others for the rare query's events, else target, others.
 * @param K Number of features, for the thresholds.
 * @param most Give up after so many steps.
 */
export function findEvents(
  descent: Descent,
  { K, losses, most = MOST_STEPS }: { readonly K: number; readonly losses: readonly number[]; readonly most?: number },
): Events {
  const logK = Math.log(K);
  const at = descent.law.dominant;
  const events: Partial<Record<EventName, QueryEvent>> = {};
  const below: (QueryEvent | null)[] = losses.map(() => null);
  let latest = 0;
  let missing = losses.length + (at === null ? 2 : 6);
  const steps = descend(descent, most, ({ step, logits, moments: { loss, attention, direction } }) => {
    const target = logits[0]!;
    const dominant = at === null ? Number.NaN : logits[at]!;
    const happen = (): QueryEvent => {
      missing--;
      latest = step;
      return { step, target, dominant, attention: attention[0]!, loss };
    };
    if (at !== null) {
      if (events.leadingInfluenceSwitches === undefined && direction[0]! > Math.abs(direction[at]!)) {
        events.leadingInfluenceSwitches = happen();
      }
      if (events.dominantSuppressed === undefined && dominant < -0.49 * logK) events.dominantSuppressed = happen();
      if (events.logitsSeparate === undefined && target - dominant > 1.01 * logK) events.logitsSeparate = happen();
    }
    if (at !== null && events.attentionOvertakes === undefined && attention[0]! > attention[at]!) {
      events.attentionOvertakes = happen();
    }
    if (events.targetGrown === undefined && target > logK) events.targetGrown = happen();
    if (events.targetLeads === undefined && attention[0]! > 0.5) events.targetLeads = happen();
    for (let i = 0; i < losses.length; i++) if (below[i] === null && loss < losses[i]!) below[i] = happen();
    // B_{k,1} need not fall so far: where p_1 is small the dominant feature loses its lead without that.
    const isSettled = missing === 1 && at !== null && events.dominantSuppressed === undefined;
    return missing > 0 && !(isSettled && step > PATIENCE * (latest + 10));
  });
  return { events, lossBelow: losses.map((loss, i) => ({ loss, event: below[i]! })), steps };
}

/**
 * @param rarest The smallest p_k.
 * @throws {UsageError} if finding the events would take more than some 1e8 steps: about 1/(eta p_k^2) until the target has
 *   grown, and 1/(4 p_k eta eps) for the loss eps.
 */
export function checkEventSteps(rarest: number, eta: number, smallestLoss: number): void {
  const expected = (1.3 / rarest ** 2 + 1 / (2 * rarest * smallestLoss)) / eta;
  if (expected < MOST_STEPS) return;
  throw new UsageError({
    where: 'eta',
    expected: `a learning rate of ${((expected / MOST_STEPS) * eta).toPrecision(2)} or more for p_k = ${rarest.toPrecision(2)}`,
    got: String(eta),
    remedy: 'Times scale as 1/eta while eta is small: compute them at a larger one.',
  });
}
