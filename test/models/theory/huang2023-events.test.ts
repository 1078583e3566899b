import { describe, expect, it } from 'vitest';
import {
  descend,
  eventsOf,
  findEvents,
  meanFieldRule,
  type QueryKind,
  queryLaw,
  tailLoss,
  theoryReport,
} from '../../../models/theory/huang2023.ts';

/** Steps, with (A_k, B_{k,1}) at the first. All by the mean field, p_1 = .5. */
const table = [
  {
    K: 20,
    eta: 1,
    events: [420, 816, 869, 1255],
    at: [0.485, -0.983],
    below: [1331, 1550, 2651],
    end: -2.117,
    dominant: [4, 16, 74],
  },
  {
    K: 100,
    eta: 10,
    events: [953, 1511, 2109, 2537],
    at: [0.491, -1.942],
    below: [2577, 2701, 3308],
    end: -2.851,
    dominant: [1, 2, 7],
  },
  {
    K: 1000,
    eta: 200,
    events: [3818, 5283, 10126, 10677],
    at: [0.436, -3.202],
    below: [10696, 10759, 11070],
    end: -3.914,
    dominant: [1, 1, 1],
  },
] as const;

describe.each(table)('rare query, K = $K', ({ K, eta, events, at, below, end, dominant }) => {
  const rare = eventsOf({ K, p1: 0.5, eta }, 'rare');

  it('its four events come in the paper’s order, at these steps', () => {
    const { leadingInfluenceSwitches, dominantSuppressed, logitsSeparate, targetGrown } = rare.events;
    const found = [leadingInfluenceSwitches, dominantSuppressed, logitsSeparate, targetGrown].map(
      (event) => event!.step,
    );
    expect(found).toEqual(events);
    expect([...found].sort((a, b) => a - b)).toEqual(found);
    expect(leadingInfluenceSwitches!.target).toBeCloseTo(at[0], 3);
    expect(leadingInfluenceSwitches!.dominant).toBeCloseTo(at[1], 3);
  });

  it('its loss falls below .1, .05, .01', () => {
    expect(rare.lossBelow.map(({ event }) => event!.step)).toEqual(below);
    expect(rare.lossBelow.at(-1)!.event!.dominant).toBeCloseTo(end, 3);
  });

  it('the dominant query is learned long before', () => {
    const other = eventsOf({ K, p1: 0.5, eta }, 'dominant');
    expect(other.lossBelow.map(({ event }) => event!.step)).toEqual(dominant);
    expect(10 * other.lossBelow[1]!.event!.step).toBeLessThan(rare.lossBelow[1]!.event!.step);
  });
});

describe('balanced features, eta = 1', () => {
  const found = [10, 20, 50, 100].map((K) => {
    const law = queryLaw({ K, p1: 1 / K }, 'balanced');
    return findEvents({ law, rule: meanFieldRule(law), eta: 1 }, { K, losses: [0.05, 0.01, 0.001] });
  });

  it('times', () => {
    expect(found.map(({ events }) => events.targetLeads!.step)).toEqual([145, 546, 3032, 11298]);
    expect(found.map(({ events }) => events.targetGrown!.step)).toEqual([170, 578, 3072, 11343]);
    const losses = [0, 1, 2].map((i) => found.map(({ lossBelow }) => lossBelow[i]!.event!.step));
    expect(losses[0]).toEqual([220, 703, 3435, 12109]);
    expect(losses[1]).toEqual([493, 1288, 4956, 15191]);
    expect(losses[2]).toEqual([2809, 6198, 17650, 40858]);
  });

  it('scale as K^2: doubling K from 50 multiplies the time to Attn_k = 1/2 by 3.73', () => {
    expect(found[3]!.events.targetLeads!.step / found[2]!.events.targetLeads!.step).toBeCloseTo(3.73, 2);
  });
});

describe('the late law L_k ~ 1/(4 p_k eta t)', () => {
  const settings = (kind: QueryKind) => ({ K: 20, p1: kind === 'balanced' ? 1 / 20 : 0.5 });
  it.each([
    ['balanced', 1.24],
    ['dominant', 1.13],
  ] as const)('%s: at L = .001 the ratio is %d', (kind, expected) => {
    const law = queryLaw(settings(kind), kind);
    const { lossBelow } = findEvents({ law, rule: meanFieldRule(law), eta: 1 }, { K: 20, losses: [0.001] });
    const { step, loss } = lossBelow[0]!.event!;
    expect(loss / tailLoss(law.groups[0]!.probability, 1, step)).toBeCloseTo(expected, 2);
  });

  it('the ratio lies in [1, 1.4] around L = .001 and tends to 1 - 1/K', () => {
    for (const kind of ['balanced', 'dominant', 'rare'] as const) {
      const law = queryLaw(settings(kind), kind);
      const { probability } = law.groups[0]!;
      const seen: number[] = [];
      let last = 0;
      descend({ law, rule: meanFieldRule(law), eta: 1 }, 2_000_000, ({ step, moments: { loss } }) => {
        last = loss / tailLoss(probability, 1, step);
        if (loss < 0.001 && loss > 0.0005) seen.push(last);
        return true;
      });
      expect(Math.min(...seen)).toBeGreaterThan(1);
      expect(Math.max(...seen)).toBeLessThan(1.4);
      expect(Math.abs(last / (1 - 1 / 20) - 1)).toBeLessThan(0.02);
    }
  });
});

describe('the report', () => {
  it('names the events and the losses', () => {
    const report = theoryReport({ K: 100, p1: 0.5, eta: 10, N: 400 });
    expect(report['events']).toEqual({
      leadingInfluenceSwitches: 953,
      dominantSuppressed: 1511,
      logitsSeparate: 2109,
      targetGrown: 2537,
    });
    expect(report['lossBelow']).toEqual({ '0.1': 2577, '0.05': 2701, '0.01': 3308 });
  });

  it('balanced features have two events', () => {
    const report = theoryReport({ K: 10, p1: 0.1, eta: 1, N: 100 });
    expect(report['events']).toEqual({ targetLeads: 145, targetGrown: 170 });
  });

  it('leaves out what does not happen, and does not wait for it for ever', () => {
    const report = theoryReport({ K: 100, p1: 0.1, eta: 10, N: 400 });
    expect(Object.keys(report['events'] as object)).toEqual([
      'leadingInfluenceSwitches',
      'logitsSeparate',
      'targetGrown',
    ]);
    expect(Object.keys(report['lossBelow'] as object)).toEqual(['0.1', '0.05', '0.01']);
  });

  it('refuses what would take for ever, and says which rate would not', () => {
    expect(() => theoryReport({ K: 100_000, p1: 0.5, eta: 1, N: 100 })).toThrow(
      /eta: expected a learning rate of .* or more/,
    );
  });
});
