/**
 * Symmetric positive definite systems in float64 typed arrays, up to a few thousand unknowns. `matrix.ts` is for a few.
 */
import { DataError } from './errors.ts';

/**
 * Overwrites the lower triangle of a symmetric positive definite matrix by L, L L^T = a. Four rows at a time, so that each
 * row read from memory serves four sums. size^3 / 3 operations.
 * @param a `[size, size]`, row by row; what stands above the diagonal is neither read nor changed.
 * @throws {DataError} if it is not positive definite in float64.
 */
export function factorInPlace(where: string, a: Float64Array, size: number): void {
  for (let i = 0; i < size; i += 4) {
    const rows = Math.min(4, size - i);
    const at0 = i * size;
    const at1 = (i + Math.min(1, rows - 1)) * size;
    const at2 = (i + Math.min(2, rows - 1)) * size;
    const at3 = (i + rows - 1) * size;
    for (let j = 0; j < i; j++) {
      const row = j * size;
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      for (let k = 0; k < j; k++) {
        const value = a[row + k]!;
        s0 += value * a[at0 + k]!;
        s1 += value * a[at1 + k]!;
        s2 += value * a[at2 + k]!;
        s3 += value * a[at3 + k]!;
      }
      const inverse = 1 / a[row + j]!;
      a[at0 + j] = (a[at0 + j]! - s0) * inverse;
      if (rows > 1) a[at1 + j] = (a[at1 + j]! - s1) * inverse;
      if (rows > 2) a[at2 + j] = (a[at2 + j]! - s2) * inverse;
      if (rows > 3) a[at3 + j] = (a[at3 + j]! - s3) * inverse;
    }
    for (let r = i; r < i + rows; r++) {
      for (let j = i; j <= r; j++) {
        let sum = a[r * size + j]!;
        for (let k = 0; k < j; k++) sum -= a[r * size + k]! * a[j * size + k]!;
        if (j < r) a[r * size + j] = sum / a[j * size + j]!;
        else if (sum > 0) a[r * size + r] = Math.sqrt(sum);
        else {
          throw new DataError({
            where,
            expected: 'a positive definite matrix',
            got: `a pivot of ${sum} in row ${r} of ${size}`,
            remedy: 'Use a larger ridge.',
          });
        }
      }
    }
  }
}

/** Overwrites b by the solution of L L^T x = b. @param factor as {@link factorInPlace} leaves it. */
export function solveInPlace(factor: Float64Array, size: number, b: Float64Array): void {
  for (let i = 0; i < size; i++) {
    let sum = b[i]!;
    for (let k = 0; k < i; k++) sum -= factor[i * size + k]! * b[k]!;
    b[i] = sum / factor[i * size + i]!;
  }
  for (let i = size - 1; i >= 0; i--) {
    const value = b[i]! / factor[i * size + i]!;
    b[i] = value;
    for (let k = 0; k < i; k++) b[k] = b[k]! - factor[i * size + k]! * value;
  }
}
