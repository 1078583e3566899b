import { describe, expect, it } from 'vitest';
import {
  descend,
  descentStates,
  enumerationRule,
  featureProbabilities,
  finiteLengthRule,
  initialLoss,
  type MomentRule,
  meanFieldRule,
  type QueryState,
  queryLaw,
  queryLawOf,
} from '../../../models/theory/huang2023.ts';

const small = [0.5, 0.3, 0.2];

/** -dL/dq by central differences of the rule's own loss. */
function differences(rule: MomentRule, sizes: readonly number[], logits: Float64Array, step = 1e-5): number[] {
  return sizes.map((size, g) => {
    const at = (shift: number) => {
      const moved = logits.slice();
      moved[g] = moved[g]! + shift;
      return rule(moved).loss;
    };
    // A group's logits move together: divided by its size it is one feature's share.
    return -(at(step) - at(-step)) / (2 * step * size);
  });
}

const logitsOf = (count: number) => Float64Array.from({ length: count }, (_, g) => Math.sin(3 * g + 1) * 1.3);

describe('the updates are the gradient of the loss', () => {
  const laws = [queryLawOf(small, 1), queryLaw({ K: 7, p1: 0.4 }, 'rare'), queryLaw({ K: 7, p1: 0.4 }, 'dominant')];
  it.each([1, 0.6, 1.7])('by finite differences, nu = %d', (nu) => {
    for (const law of laws) {
      const rules = [meanFieldRule(law, nu), finiteLengthRule(law, 9, nu)];
      if (law.groups.every(({ size }) => size === 1)) rules.push(enumerationRule(law, 9, nu));
      for (const rule of rules) {
        const logits = logitsOf(law.groups.length);
        const direction = rule(logits).direction.slice();
        const expected = differences(
          rule,
          law.groups.map(({ size }) => size),
          logits,
        );
        expected.forEach((value, g) => {
          // Central differences err by h^2 = 1e-10 and by rounding 1e-16 / h.
          expect(Math.abs(direction[g]! - value)).toBeLessThan(1e-8);
        });
      }
    }
  });

  it('adds up to nothing, and does not see a constant added to all logits', () => {
    for (const law of laws) {
      for (const rule of [meanFieldRule(law), finiteLengthRule(law, 12)]) {
        const logits = logitsOf(law.groups.length);
        const { direction, loss } = rule(logits);
        const sum = law.groups.reduce((total, { size }, g) => total + size * direction[g]!, 0);
        expect(Math.abs(sum)).toBeLessThan(1e-12);
        const shifted = rule(logits.map((value) => value + 5));
        expect(Math.abs(shifted.loss - loss)).toBeLessThan(1e-12);
      }
    }
  });
});

describe('finite length', () => {
  it.each([
    [1, 0],
    [2, 1],
    [5, 2],
    [30, 1],
  ])('the integral is the sum over all count vectors, N = %d, query %d', (N, target) => {
    const law = queryLawOf(small, target);
    for (const scale of [0, 1, 5]) {
      const logits = logitsOf(3).map((value) => scale * value);
      const sum = enumerationRule(law, N)(logits);
      const integral = finiteLengthRule(law, N)(logits);
      expect(Math.abs(integral.loss - sum.loss)).toBeLessThan(1e-12);
      sum.attention.forEach((value, n) => {
        expect(Math.abs(integral.attention[n]! - value)).toBeLessThan(1e-12);
      });
      sum.direction.forEach((value, n) => {
        expect(Math.abs(integral.direction[n]! - value)).toBeLessThan(1e-12);
      });
    }
  });

  it('groups are what single features are', () => {
    const settings = { K: 6, p1: 0.4 };
    const single = finiteLengthRule(queryLawOf(featureProbabilities(settings), 3), 25);
    const grouped = finiteLengthRule(queryLaw(settings, 'rare'), 25);
    const a = grouped(Float64Array.of(2, -1, 0.1));
    const b = single(Float64Array.of(2, -1, 0.1, 0.1, 0.1, 0.1));
    expect(Math.abs(a.loss - b.loss)).toBeLessThan(1e-13);
    expect(Math.abs(a.direction[2]! - b.direction[5]!)).toBeLessThan(1e-13);
  });

  it('becomes the mean field as N grows', () => {
    const law = queryLaw({ K: 10, p1: 0.5 }, 'rare');
    const logits = Float64Array.of(1, -0.5, 0.02);
    const limit = meanFieldRule(law)(logits).loss;
    const gap = (N: number) => Math.abs(finiteLengthRule(law, N)(logits).loss - limit);
    expect(gap(10_000) * 10_000).toBeCloseTo(gap(100_000) * 100_000, 2);
    expect(gap(100_000)).toBeLessThan(1e-4);
  });

  it.each([
    [[0.5, 0.3, 0.2], 5],
    [[0.25, 0.25, 0.25, 0.25], 4],
  ])('L_k at the start is the formula, p = %j, N = %d', (p, N) => {
    p.forEach((_, k) => {
      const loss = enumerationRule(queryLawOf(p, k), N)(new Float64Array(p.length)).loss;
      expect(Math.abs(loss - initialLoss(p, k, N))).toBeLessThan(1e-14);
    });
  });
});

describe('goldens by exact enumeration: K = 3, N = 5, p = (.5, .3, .2), eta = 1', () => {
  const runs = [0, 1, 2].map((k) => {
    const law = queryLawOf(small, k);
    return descentStates({ law, rule: enumerationRule(law, 5), eta: 1 }, [0, 1, 10, 50]);
  });
  const column = (t: number, value: (state: QueryState) => number) => runs.map((states) => value(states[t]!));
  const close = (found: readonly number[], expected: readonly number[]) => {
    // Printed with 6 digits.
    expected.forEach((value, i) => {
      expect(Math.abs(found[i]! - value)).toBeLessThan(6e-7);
    });
  };

  it('losses', () => {
    close(
      column(0, ({ moments }) => moments.loss),
      [0.252, 0.452, 0.552],
    );
    close(
      column(1, ({ moments }) => moments.loss),
      [0.23003, 0.435481, 0.545137],
    );
    close(
      column(2, ({ moments }) => moments.loss),
      [0.112666, 0.310107, 0.483407],
    );
    close(
      column(3, ({ moments }) => moments.loss),
      [0.038932, 0.165726, 0.322915],
    );
  });

  it('logits and attention', () => {
    close(
      column(1, ({ logits }) => logits[0]!),
      [0.0856, 0.053856, 0.029056],
    );
    close([...runs[1]![1]!.logits], [0.053856, -0.04464, -0.009216]);
    close(
      column(3, ({ logits }) => logits[0]!),
      [1.586835, 1.49717, 1.193533],
    );
    close(
      column(3, ({ moments }) => moments.attention[0]!),
      [0.868335, 0.684342, 0.466269],
    );
  });
});

describe('goldens of the mean field, eta = 1', () => {
  const states = (probabilities: readonly number[], k: number) => {
    const law = queryLawOf(probabilities, k);
    return descentStates({ law, rule: meanFieldRule(law), eta: 1 }, [1, 10, 100]);
  };
  const third = 0.5 / 3;

  it('balanced, K = 4', () => {
    const [one, ten, hundred] = states([0.25, 0.25, 0.25, 0.25], 0);
    expect(one!.logits[0]).toBeCloseTo(0.046875, 12);
    expect(one!.logits[1]).toBeCloseTo(-0.015625, 12);
    expect(one!.moments.attention[0]).toBeCloseTo(0.2619, 5);
    expect(one!.moments.loss).toBeCloseTo(0.36319, 5);
    expect(ten!.logits[0]).toBeCloseTo(0.48627, 5);
    expect(ten!.moments.loss).toBeCloseTo(0.24864, 5);
    expect(hundred!.logits[0]).toBeCloseTo(2.147, 5);
    expect(hundred!.moments.attention[0]).toBeCloseTo(0.85372, 5);
    expect(hundred!.moments.loss).toBeCloseTo(0.01427, 5);
  });

  it('dominant query, p = (1/2, 1/6, 1/6, 1/6)', () => {
    const [one, , hundred] = states([0.5, third, third, third], 0);
    expect(one!.logits[0]).toBeCloseTo(1 / 12, 12);
    expect(one!.logits[1]).toBeCloseTo(-1 / 36, 12);
    expect(one!.moments.loss).toBeCloseTo(0.14868, 5);
    expect(hundred!.logits[0]).toBeCloseTo(1.75884, 5);
    expect(hundred!.moments.loss).toBeCloseTo(0.0051, 5);
  });

  it('rare query, p = (1/2, 1/6, 1/6, 1/6)', () => {
    const [one, ten, hundred] = states([0.5, third, third, third], 1);
    expect([...one!.logits].map((value) => Number(value.toFixed(12)))).toEqual([0.027777777778, -0.027777777778, 0, 0]);
    expect(ten!.logits[0]).toBeCloseTo(0.29936, 5);
    expect(ten!.logits[1]).toBeCloseTo(-0.2649, 5);
    expect(ten!.moments.loss).toBeCloseTo(0.40327, 5);
    expect(hundred!.logits[0]).toBeCloseTo(2.10547, 5);
    expect(hundred!.logits[1]).toBeCloseTo(-1.2319, 4);
    expect(hundred!.moments.loss).toBeCloseTo(0.02924, 5);
  });
});

describe('along training', () => {
  it('A_k only grows, columns of V^T Q V sum to 0, balanced B are all -A/(K-1)', () => {
    for (const kind of ['rare', 'dominant', 'balanced'] as const) {
      const settings = { K: 12, p1: kind === 'balanced' ? 1 / 12 : 0.5 };
      const law = queryLaw(settings, kind);
      let before = -1;
      descend({ law, rule: finiteLengthRule(law, 50), eta: 2 }, 300, ({ logits, moments }) => {
        expect(logits[0]).toBeGreaterThan(before);
        before = logits[0]!;
        expect(moments.direction[0]).toBeGreaterThanOrEqual(0);
        const sum = law.groups.reduce((total, { size }, g) => total + size * logits[g]!, 0);
        expect(Math.abs(sum)).toBeLessThan(1e-12);
        if (kind === 'balanced') expect(logits[1]).toBeCloseTo(-logits[0]! / 11, 12);
        return true;
      });
    }
  });

  it('twelve thousand steps at K = 1000 take a moment', () => {
    const law = queryLaw({ K: 1000, p1: 0.5 }, 'rare');
    const started = performance.now();
    descend({ law, rule: meanFieldRule(law), eta: 200 }, 12_000, () => true);
    expect(performance.now() - started).toBeLessThan(500);
  });
});
