import { describe, expect, it } from 'vitest';
import { createGenerator } from '../../../models/random.ts';
import {
  descentStates,
  featureProbabilities,
  featureRisk,
  featureRisks,
  finiteLengthRule,
  linearAttentionLoss,
  meanFieldRule,
  missingFeatureFloor,
  type QueryKind,
  queryLaw,
  simulateCounts,
  valueWeightFloor,
} from '../../../models/theory/huang2023.ts';

const NaNs = Number.NaN;

/** Numbers of an independent simulation with 128 or 256 fresh count vectors per step: good to about 2 %. */
const recipes = {
  balanced: {
    K: 10,
    p1: 0.1,
    N: 100,
    eta: 1,
    rows: [
      // step, A, Attn_k, L
      [0, 0, 0.1, 0.4545],
      [50, 0.53, 0.166, 0.391],
      [100, 1.25, 0.3, 0.275],
      [150, 2.02, 0.5, 0.145],
      [200, 2.58, NaNs, 0.074],
      [500, 3.75, 0.867, 0.0111],
      [1000, 4.3, NaNs, 0.0038],
      [3000, 4.97, 0.961, 0.00103],
    ],
  },
  balanced20: {
    K: 20,
    p1: 0.05,
    N: 400,
    eta: 2,
    rows: [
      [200, NaNs, 0.236, NaNs],
      [300, NaNs, 0.571, 0.099],
      [400, NaNs, NaNs, 0.035],
      [600, NaNs, NaNs, 0.0122],
      [1000, NaNs, NaNs, 0.0048],
      [3000, 5.78, NaNs, 0.00106],
    ],
  },
} as const;

/** step, A_1, A_rare, B_{rare,1}, Attn_1 (query 1), Attn_k (rare), Attn_1 (rare query), L_1, L_rare */
const imbalanced = [
  [0, 0, 0, 0, 0.501, 0.026, 0.501, 0.1322, 0.6065],
  [10, 0.93, 0.017, -0.068, 0.727, 0.028, 0.483, 0.0396, 0.597],
  [50, 1.95, 0.09, -0.314, 0.886, 0.033, 0.419, 0.0069, 0.565],
  [100, 2.37, 0.195, -0.568, 0.923, 0.04, 0.355, 0.0031, 0.535],
  [200, 2.76, 0.451, -0.948, 0.948, 0.057, 0.269, 0.0015, 0.495],
  [400, 3.13, 1.265, -1.444, 0.964, 0.134, 0.172, 0.00068, 0.405],
  [600, 3.35, 2.714, -1.807, 0.971, 0.418, 0.09, 0.00045, 0.184],
  [800, 3.49, 3.828, -1.993, 0.975, 0.695, 0.042, 0.00033, 0.052],
  [1000, 3.61, 4.352, -2.07, 0.978, 0.796, 0.027, 0.00026, 0.024],
  [2000, 3.96, 5.243, -2.191, 0.985, 0.908, 0.011, 0.00012, 0.0051],
  [4000, 4.3, 5.789, -2.261, 0.989, 0.946, 0.006, 0.00006, 0.0018],
] as const;

/** Within a fraction, or half a unit of the last printed digit. */
function expectNear(found: number, expected: number, relative: number, digit: number): void {
  if (Number.isNaN(expected)) return;
  expect(Math.abs(found - expected)).toBeLessThanOrEqual(relative * Math.abs(expected) + digit);
}

function exactStates(
  { K, p1, N, eta }: { K: number; p1: number; N: number; eta: number },
  kind: QueryKind,
  steps: readonly number[],
) {
  const law = queryLaw({ K, p1 }, kind);
  return descentStates({ law, rule: finiteLengthRule(law, N), eta }, steps);
}

describe('exact descent at finite N is what sampled prompts give', () => {
  it.each(['balanced', 'balanced20'] as const)('recipe %s', (name) => {
    const recipe = recipes[name];
    const states = exactStates(
      recipe,
      'balanced',
      recipe.rows.map(([step]) => step),
    );
    recipe.rows.forEach(([, A, attention, loss], i) => {
      const { logits, moments } = states[i]!;
      expectNear(logits[0]!, A, 0.02, 0.005);
      expectNear(moments.attention[0]!, attention, 0.02, 0.001);
      // Near the end a loss is a difference of attention from 1: its seed noise is larger.
      expectNear(moments.loss, loss, 0.05, 0.00005);
    });
  });

  it('recipe imbalanced: K = 20, N = 400, p_1 = .5, eta = 2', () => {
    const recipe = { K: 20, p1: 0.5, N: 400, eta: 2 };
    const steps = imbalanced.map(([step]) => step);
    const dominant = exactStates(recipe, 'dominant', steps);
    const rare = exactStates(recipe, 'rare', steps);
    imbalanced.forEach(([, A1, A, B1, own1, own, other, L1, L], i) => {
      expectNear(dominant[i]!.logits[0]!, A1, 0.02, 0.005);
      expectNear(dominant[i]!.moments.attention[0]!, own1, 0.02, 0.001);
      expectNear(dominant[i]!.moments.loss, L1, 0.05, 0.000005);
      expectNear(rare[i]!.logits[0]!, A, 0.03, 0.0015);
      expectNear(rare[i]!.logits[1]!, B1, 0.03, 0.0015);
      expectNear(rare[i]!.moments.attention[0]!, own, 0.03, 0.001);
      expectNear(rare[i]!.moments.attention[1]!, other, 0.05, 0.001);
      expectNear(rare[i]!.moments.loss, L, 0.05, 0.0005);
    });
  });

  it('recipe small: K = 10, N = 100, p_1 = .5, eta = 1', () => {
    const steps = [0, 100, 200, 400, 600, 1000, 4000];
    const states = exactStates({ K: 10, p1: 0.5, N: 100, eta: 1 }, 'rare', steps);
    [0.587, 0.481, 0.365, 0.1, 0.0357, 0.0133, 0.0039].forEach((loss, i) => {
      expectNear(states[i]!.moments.loss, loss, 0.04, 0.0005);
    });
    // Tokens, batch 2048, one seed.
    const rows = [
      [1, 0.444, -0.622],
      [2, 1.109, -1.039],
      [3, 2.688, -1.545],
      [4, 3.469, -1.727],
    ] as const;
    for (const [i, A, B1] of rows) {
      expectNear(states[i]!.logits[0]!, A, 0.02, 0.001);
      expectNear(states[i]!.logits[1]!, B1, 0.02, 0.001);
    }
    expect(missingFeatureFloor(0.5 / 9, 10, 100)).toBeCloseTo(0.0018, 4);
  });
});

describe('sampled counts', () => {
  const N = 100;
  const probabilities = featureProbabilities({ K: 10, p1: 0.5 });

  it('follow the exact descent within 2 %', () => {
    const seen = new Map<number, Float64Array>();
    const steps = [100, 200, 400, 600];
    simulateCounts({
      probabilities,
      N,
      eta: 1,
      steps: 600,
      prompts: 128,
      generator: createGenerator(3, 5),
      visit: (step, logits) => {
        if (steps.includes(step)) seen.set(step, logits.slice());
      },
    });
    const exact = exactStates({ K: 10, p1: 0.5, N, eta: 1 }, 'rare', steps);
    steps.forEach((step, i) => {
      const logits = seen.get(step)!;
      const rare = Array.from({ length: 9 }, (_, k) => logits[(k + 1) * 11]!);
      const mean = rare.reduce((a, b) => a + b, 0) / 9;
      expectNear(mean, exact[i]!.logits[0]!, 0.02, 0);
      // Columns sum to 0 whatever is drawn.
      for (let k = 0; k < 10; k++) {
        let sum = 0;
        for (let n = 0; n < 10; n++) sum += logits[n * 10 + k]!;
        expect(Math.abs(sum)).toBeLessThan(1e-12);
      }
    });
  });

  it('are the same whatever is asked of them', () => {
    const run = (steps: number) => {
      let last = new Float64Array();
      const visit = (_step: number, logits: Float64Array) => {
        last = logits.slice();
      };
      simulateCounts({ probabilities, N, eta: 1, steps, prompts: 7, generator: createGenerator(1, 5), visit });
      return last;
    };
    expect(run(5)).toEqual(run(5));
    expect(run(5)).not.toEqual(run(6));
  });
});

describe('risk of given logits', () => {
  const K = 5;
  const identity = Array.from({ length: K }, (_, i) => Array.from({ length: K }, (_, j) => (i === j ? 1 : 0)));
  const probabilities = [0.4, 0.2, 0.2, 0.15, 0.05];
  const logits = identity.map((row, n) =>
    row.map((value, k) => 3 * value - (n === 0 ? 1 : 0) + 0.1 * Math.sin(n + 2 * k)),
  );

  it('is twice the loss for orthonormal features', () => {
    const risks = featureRisks({ gram: identity, logits, probabilities, length: 13 });
    const law = { groups: probabilities.map((probability) => ({ size: 1, probability })), dominant: null };
    // The first group is the target: query 0.
    const { loss } = finiteLengthRule(law, 13)(Float64Array.from(logits, (row) => row[0]!));
    expect(Math.abs(risks[0]! - 2 * loss)).toBeLessThan(1e-12);
  });

  it.each([
    ['orthonormal', 0],
    ['correlated', 0.4],
  ])('agrees with simulation on %s features, other test probabilities, noise and nu', (_name, correlation) => {
    const gram = identity.map((row, i) => row.map((value, j) => (i === j ? value : correlation)));
    const law = {
      gram,
      logits,
      probabilities,
      queryProbabilities: [0.2, 0.2, 0.2, 0.2, 0.2],
      length: 9,
      nu: 0.8,
      noiseVariance: 0.3,
    };
    const exact = featureRisk(law);
    // An independent generator, counts token by token; exact over w and the noise given the counts.
    let state = 12345;
    const uniform = () => {
      state = (state * 1103515245 + 12345) % 2147483648;
      return (state + 0.5) / 2147483648;
    };
    const pick = (p: readonly number[]) => {
      let left = uniform();
      const found = p.findIndex((value) => {
        left -= value;
        return left < 0;
      });
      return found === -1 ? p.length - 1 : found;
    };
    const draws = 60_000;
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < draws; i++) {
      const shown = Array.from({ length: 9 }, () => pick(probabilities));
      const k = pick(law.queryProbabilities);
      const weights = shown.map((n) => Math.exp(logits[n]![k]!));
      const total = weights.reduce((a, b) => a + b, 0);
      const x = new Float64Array(K);
      x[k] = -1;
      let noise = 1;
      shown.forEach((n, j) => {
        const share = weights[j]! / total;
        x[n] = x[n]! + 0.8 * share;
        noise += (0.8 * share) ** 2;
      });
      let value = 0.3 * noise;
      for (let n = 0; n < K; n++) for (let m = 0; m < K; m++) value += x[n]! * gram[n]![m]! * x[m]!;
      sum += value;
      squares += value * value;
    }
    const mean = sum / draws;
    const error = Math.sqrt((squares / draws - mean ** 2) / draws);
    expect(Math.abs(mean - exact)).toBeLessThan(4 * error);
  });
});

describe('a value weight other than 1', () => {
  it.each([
    [0.5, 0.125],
    [1, 0],
    [2, 0.05],
  ])('nu = %d leaves %d at K = 10, and descent gets there', (nu, floor) => {
    expect(valueWeightFloor(nu, 10)).toBeCloseTo(floor, 12);
    const law = queryLaw({ K: 10, p1: 0.1 }, 'balanced');
    const [last] = descentStates({ law, rule: meanFieldRule(law, nu), eta: 1 }, [60_000]);
    expect(last!.moments.loss - floor).toBeGreaterThan(-1e-12);
    // At nu <= 1 the loss falls as 1/t, from above.
    expect(last!.moments.loss - floor).toBeLessThan(2e-3);
  });
});

describe('linear attention on the same prompts', () => {
  it('its best loss is that of the best multiple of the empirical frequency', () => {
    // E over c ~ Binomial(N, p) of ½ [(P c/N - 1)^2] + the other features' share, minimised over P by a fine search.
    const [p, N, K] = [0.2, 12, 5];
    const second = p * p + (p * (1 - p)) / N;
    const lossAt = (P: number) => (P * P * second - 2 * P * p + 1) / 2;
    const grid = Array.from({ length: 40_000 }, (_, i) => i / 4000);
    expect(linearAttentionLoss(p, N)).toBeCloseTo(Math.min(...grid.map(lossAt)), 7);
    expect(K).toBe(5);
  });
});
