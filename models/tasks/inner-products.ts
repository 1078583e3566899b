/** Responses of linear tasks: inner products of many covariates with the task vector of their prompt, in bulk. */

export interface InnerProducts {
  /** `[B, rows, D]` */
  readonly covariates: Float32Array;
  /** `[B, D]` */
  readonly taskVectors: Float32Array;
  /** `[B, rows]`: standard normals on entry if there is noise, responses on return. */
  readonly responses: Float32Array;
  readonly batch: number;
  readonly rows: number;
  readonly dimension: number;
  /** Standard deviation of the noise that is added. */
  readonly noiseDeviation: number;
}

/**
 * Writes y = <w, x> + deviation * noise for every row. Sums are in float64, in the order of the axes, and rounded once. Four
 * rows at a time: one sum alone waits for its own additions, which takes 1.6 times as long.
 */
export function respondLinearly(work: InnerProducts): void {
  const { covariates: x, taskVectors, responses: y, batch, rows, dimension, noiseDeviation } = work;
  const w = new Float64Array(dimension);
  const write = (row: number, sum: number): void => {
    y[row] = noiseDeviation > 0 ? sum + noiseDeviation * y[row]! : sum;
  };
  for (let b = 0, row = 0; b < batch; b++) {
    for (let j = 0; j < dimension; j++) w[j] = taskVectors[b * dimension + j]!;
    const end = row + rows;
    for (; row + 4 <= end; row += 4) {
      let [sum0, sum1, sum2, sum3] = [0, 0, 0, 0];
      for (let j = 0, at = row * dimension; j < dimension; j++, at++) {
        const weight = w[j]!;
        sum0 += x[at]! * weight;
        sum1 += x[at + dimension]! * weight;
        sum2 += x[at + 2 * dimension]! * weight;
        sum3 += x[at + 3 * dimension]! * weight;
      }
      write(row, sum0);
      write(row + 1, sum1);
      write(row + 2, sum2);
      write(row + 3, sum3);
    }
    for (; row < end; row++) {
      let sum = 0;
      for (let j = 0, at = row * dimension; j < dimension; j++, at++) sum += x[at]! * w[j]!;
      write(row, sum);
    }
  }
}
