/**
 * Bilinear separability in small instances: the problem from which Theorem 3.5's hardness comes.
 *
 * Given points A' (m' rows) and B (k' rows), are there half-planes {w1.x >= g1 + 1} and {w2.x >= g2 + 1} that both hold every
 * A'-point, while every B-point lies below g - 1 in at least one? That is so iff the bilinear program
 *
 *   min z1'z2   over  -A'w1 + g1 + 1 <= 0,  -A'w2 + g2 + 1 <= 0,  B w1 - g1 + 1 <= z1,  B w2 - g2 + 1 <= z2,  z >= 0
 *
 * has the minimum 0. For fixed z2 it is a linear program in (w1, g1, z1), and the other way round: alternating them descends, to a
 * local minimum. The theorem embeds it in bilinear systems b' D^(r) A_:j = X_r with arbitrary D^(r), which are therefore
 * NP-hard in general; the D^(r) of a layer's own map phi are special, and that system is easy (`factoring.ts`).
 * Source: Bennett and Mangasarian (1993), "Bilinear separation of two sets in n-space"; Ding et al. (2025), Theorem 3.5 and
 * Problems C.10, C.11.
 */
import { DataError } from '../../errors.ts';
import type { Matrix } from '../../matrix.ts';

export interface Instance {
  /** A' `[m', n']`: inside both half-planes. */
  readonly inside: Matrix;
  /** B `[k', n']`: outside at least one. */
  readonly outside: Matrix;
}

export interface HalfPlane {
  readonly w: readonly number[];
  readonly g: number;
}

export interface Separation {
  /** z1'z2 at the end: 0 where a separation was found. */
  readonly value: number;
  readonly planes: readonly [HalfPlane, HalfPlane];
  /** Values of z1'z2 along the rounds. */
  readonly path: readonly number[];
}

/** d and the number of equations of the system that the paper's reduction makes of an instance: d = k' + 2n' + 2. */
export function embeddingSize(outsidePoints: number, dimension: number) {
  const d = outsidePoints + 2 * dimension + 2;
  return { d, equations: (d * (d + 1) * (d + 2)) / 2 };
}

/** A value below this is 0 up to the linear solver's own tolerance. */
export const separableBelow = 1e-6;

type Solver = typeof import('yalps').solve;

/** Minimises weights' z over one half-plane. */
function bestPlane(solve: Solver, { inside, outside }: Instance, weights: readonly number[]) {
  const dimension = inside[0]!.length;
  const constraints = new Map<string, { max: number }>();
  const variables = new Map<string, Map<string, number>>();
  const put = (variable: string, row: string, coefficient: number) => {
    if (!variables.has(variable)) variables.set(variable, new Map());
    variables.get(variable)!.set(row, coefficient);
  };
  // Free variables as differences of two that are 0 or more.
  const putFree = (variable: string, row: string, coefficient: number) => {
    put(`${variable}+`, row, coefficient);
    put(`${variable}-`, row, -coefficient);
  };
  inside.forEach((point, i) => {
    constraints.set(`a${i}`, { max: -1 });
    point.forEach((value, k) => {
      putFree(`w${k}`, `a${i}`, -value);
    });
    putFree('g', `a${i}`, 1);
  });
  outside.forEach((point, i) => {
    constraints.set(`b${i}`, { max: -1 });
    point.forEach((value, k) => {
      putFree(`w${k}`, `b${i}`, value);
    });
    putFree('g', `b${i}`, -1);
    put(`z${i}`, `b${i}`, -1);
    put(`z${i}`, 'cost', weights[i]!);
  });
  const solution = solve(
    { direction: 'minimize', objective: 'cost', constraints, variables },
    { includeZeroVariables: true },
  );
  if (solution.status !== 'optimal') {
    throw new DataError({ where: 'separability', expected: 'a bounded linear program', got: solution.status });
  }
  const values = new Map(solution.variables);
  const free = (name: string) => (values.get(`${name}+`) ?? 0) - (values.get(`${name}-`) ?? 0);
  const plane = { w: Array.from({ length: dimension }, (_, k) => free(`w${k}`)), g: free('g') };
  const below = (point: readonly number[]) =>
    point.reduce((sum, value, k) => sum + value * plane.w[k]!, 0) - plane.g + 1;
  // The least z for this plane: an entry with weight 0 may stand anywhere above it in the solver's answer.
  return { plane, z: outside.map((point) => Math.max(0, below(point))) };
}

/**
 * Alternates the two linear programs from every start: a start says with 0 or 1 for which outside points the second plane is
 * not responsible. Loads the solver when first called.
 * @param starts `[s, k']`; absent: all ways to share the outside points among the planes, which decides the question.
 */
export async function separate(instance: Instance, starts?: Matrix): Promise<Separation> {
  const { solve } = await import('yalps');
  const count = instance.outside.length;
  const all = Array.from({ length: 2 ** count }, (_, bits) =>
    Array.from({ length: count }, (_, i) => Math.floor(bits / 2 ** i) % 2),
  );
  let best: Separation | undefined;
  for (const start of starts ?? all) {
    const found = alternate(solve, instance, start);
    if (best === undefined || found.value < best.value) best = found;
    if (best.value < separableBelow) break;
  }
  return best!;
}

function alternate(solve: Solver, instance: Instance, start: readonly number[]): Separation {
  let first = bestPlane(solve, instance, start);
  let second = bestPlane(solve, instance, first.z);
  const value = () => first.z.reduce((sum, z, i) => sum + z * second.z[i]!, 0);
  const path = [value()];
  for (let round = 0; round < 50; round++) {
    first = bestPlane(solve, instance, second.z);
    second = bestPlane(solve, instance, first.z);
    path.push(value());
    if (path.at(-2)! - path.at(-1)! < 1e-9) break;
  }
  return { value: path.at(-1)!, planes: [first.plane, second.plane], path };
}
