/**
 * Several layers of linear self-attention as preconditioned descent on several objectives, on any single prompt.
 *
 * Layers with value row b_l' (last row of P_l, the others 0) and key-query columns A_l = -[Abar_l; a_l'] change labels only:
 * after l layers y_j^(l) = y_j - <w_l, x_j> on the context and, at the query, -<w_l, x>, with w_0 = 0 and
 *
 *   w_{l+1}' = w_l' - b_l' ( J1(w_l) Abar_l + J2(w_l) [0; a_l'] )  =  w_l' + b_l' G_l [Abar_l; a_l'],
 *
 * J_i `[D+1, D]` the Jacobian of R_i, [0; a_l'] `[D, D]`, G_l = (1/n) sum_j z_j z_j', z_j = (x_j, y_j - <w_l, x_j>).
 * R1 has D linear objectives and the square loss, R2 objectives centred on the last weight w_D.
 *
 * Sign: the printed theorem has y^(l) = +<w_l, x> at the query; with the model as printed, whose output is the query's label
 * slot, it is -<w_l, x>. `multilayer-linear-attention` with outputSign -1 predicts +<w_L, x>.
 * Source: Ding et al. (2025), Theorem 4.1.
 */
import type { Matrix } from '../../matrix.ts';

/** One prompt's context: rows x_j `[n, D]` and labels `[n]`. */
export interface PromptContext {
  readonly x: Matrix;
  readonly y: readonly number[];
}

/** A layer of the restricted form. */
export interface DescentLayer {
  /** `[D+1]` */
  readonly b: readonly number[];
  /** Abar `[D, D]` */
  readonly Abar: Matrix;
  /** `[D]` */
  readonly a: readonly number[];
}

const inner = (u: readonly number[], v: readonly number[], count = u.length): number => {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += u[i]! * v[i]!;
  return sum;
};

/** (-(1/n) sum_j x_jk <w, x_j> for k = 1 .. D; (1/2n) sum_j (<w, x_j> - y_j)^2). */
export function objectives1({ x, y }: PromptContext, w: readonly number[]): number[] {
  const n = y.length;
  const fitted = x.map((row) => inner(w, row));
  const linear = w.map((_, k) => -x.reduce((sum, row, j) => sum + row[k]! * fitted[j]!, 0) / n);
  return [...linear, y.reduce((sum, value, j) => sum + (fitted[j]! - value) ** 2, 0) / (2 * n)];
}

/**
 * For k <= D: -(1/n) sum_j x_jk (u_j w_D - w_D^2 x_jD / 2), u_j = y_j - <w, x_j> + w_D x_jD. The last: the mean of
 * r_j^3 / (3 x_jD) where x_jD is not 0, r_j = y_j - <w, x_j>, and of -u_j^2 w_D where it is.
 */
export function objectives2({ x, y }: PromptContext, w: readonly number[]): number[] {
  const n = y.length;
  const last = w.length - 1;
  const wLast = w[last]!;
  const others = x.map((row, j) => y[j]! - inner(w, row, last));
  const first = w.map(
    (_, k) =>
      -x.reduce((sum, row, j) => sum + row[k]! * (others[j]! * wLast - (wLast * wLast * row[last]!) / 2), 0) / n,
  );
  const cubic = x.reduce((sum, row, j) => {
    const step = row[last]!;
    return sum + (step === 0 ? -(others[j]! ** 2) * wLast : (others[j]! - wLast * step) ** 3 / (3 * step));
  }, 0);
  return [...first, cubic / n];
}

/** Jacobian of {@link objectives1}, `[D+1, D]`: rows -(1/n) sum_j x_jk x_j' and -(1/n) sum_j r_j x_j'. */
export function jacobian1({ x, y }: PromptContext, w: readonly number[]): number[][] {
  const n = y.length;
  const residuals = x.map((row, j) => y[j]! - inner(w, row));
  const entry = (weight: (j: number) => number, i: number) =>
    -x.reduce((sum, row, j) => sum + weight(j) * row[i]!, 0) / n;
  const linear = w.map((_, k) => w.map((_, i) => entry((j) => x[j]![k]!, i)));
  return [...linear, w.map((_, i) => entry((j) => residuals[j]!, i))];
}

/** Jacobian of {@link objectives2}, `[D+1, D]`; only its last column, -(1/n) sum_j r_j (x_j, r_j), enters the recursion. */
export function jacobian2({ x, y }: PromptContext, w: readonly number[]): number[][] {
  const n = y.length;
  const last = w.length - 1;
  const wLast = w[last]!;
  const others = x.map((row, j) => y[j]! - inner(w, row, last));
  const residual = (j: number) => others[j]! - wLast * x[j]![last]!;
  const mean = (of: (row: readonly number[], j: number) => number) =>
    x.reduce((sum, row, j) => sum + of(row, j), 0) / n;
  const first = w.map((_, k) =>
    w.map((_, i) => (i === last ? -mean((row, j) => row[k]! * residual(j)) : mean((row) => row[k]! * row[i]! * wLast))),
  );
  const cubic = w.map((_, i) => {
    if (i === last) return -mean((_row, j) => residual(j) ** 2);
    return mean((row, j) =>
      row[last] === 0 ? 2 * others[j]! * row[i]! * wLast : (-(residual(j) ** 2) * row[i]!) / row[last]!,
    );
  });
  return [...first, cubic];
}

/** w_{l+1} by the theorem's form. */
export function descentStep(prompt: PromptContext, w: readonly number[], { b, Abar, a }: DescentLayer): number[] {
  const J1 = jacobian1(prompt, w);
  const J2 = jacobian2(prompt, w);
  const last = w.length - 1;
  return w.map((value, i) => {
    const move = b.reduce(
      (sum, weight, k) =>
        sum + weight * (w.reduce((s, _, c) => s + J1[k]![c]! * Abar[c]![i]!, 0) + J2[k]![last]! * a[i]!),
      0,
    );
    return value - move;
  });
}

/** w_0 = 0, w_1, .., w_L. */
export function descentPath(prompt: PromptContext, layers: readonly DescentLayer[]): number[][] {
  const path = [new Array<number>(prompt.x[0]!.length).fill(0)];
  for (const layer of layers) path.push(descentStep(prompt, path.at(-1)!, layer));
  return path;
}

/** The restricted form of a layer's (b, A): A = -[Abar; a']. */
export function descentLayer(b: readonly number[], A: Matrix): DescentLayer {
  const negated = A.map((row) => row.map((value) => -value));
  return { b, Abar: negated.slice(0, -1), a: negated.at(-1)! };
}
