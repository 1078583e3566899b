/**
 * The rows (x_i, h_i, y_i) of a bilinear least-squares problem, y ~ <G, x h^T>, and the two passes over them that its normal
 * equations are made of. One memory, laid out for the SIMD kernel `models/simd/bilinear.as`, grown where a larger problem
 * comes and used again: nothing is allocated from problem to problem.
 *
 * Knows nothing about where rows come from. Where WebAssembly SIMD is missing the same passes run in TypeScript.
 */
import { ShapeError } from '../../models/errors.ts';
import { kernelBase64 } from '../../models/simd/bilinear-wasm.ts';
import { growTo, type KernelMemory, pageBytes, startKernel } from '../../models/simd/start-kernel.ts';

export interface RowSizes {
  /** n */
  readonly rows: number;
  /** Entries of x. */
  readonly columns: number;
  /** Entries of h. */
  readonly width: number;
}

interface Passes {
  forward(x: number, h: number, rows: number, columns: number, width: number, g: number, r: number): void;
  adjoint(
    x: number,
    h: number,
    rows: number,
    columns: number,
    width: number,
    r: number,
    scratch: number,
    out: number,
  ): void;
}

interface Kernel extends Passes {
  readonly memory: KernelMemory;
}

/** The kernel's own part of the memory. */
const HEADER = 1024;
/** Rows per pass: x and h of a block stay in the core's cache between the two passes. */
const BLOCK = 64;

const roundUp = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple;

export interface RowsOptions {
  /** `simd` where it runs. */
  readonly kernel?: 'simd' | 'plain';
}

export class BilinearRows {
  private sizesNow: RowSizes = { rows: 0, columns: 0, width: 0 };
  private readonly kernel: Kernel;
  private numbers = new Float64Array(0);
  private addresses = { x: 0, h: 0, y: 0, g: 0, r: 0, scratch: 0, out: 0 };
  readonly implementation: 'simd' | 'plain';

  constructor({ kernel }: RowsOptions = {}) {
    const simd = kernel === 'plain' ? undefined : startKernel<Kernel>(kernelBase64);
    this.implementation = simd === undefined ? 'plain' : 'simd';
    this.kernel = simd ?? { ...plainPasses(() => this.numbers), memory: plainMemory() };
  }

  get sizes(): RowSizes {
    return this.sizesNow;
  }

  /** Entries from one row of x to the next: `columns`, padded. */
  get xStride(): number {
    return roundUp(this.sizesNow.columns, 4);
  }

  /** Entries from one row of h, and of a matrix G, to the next: `width`, padded. */
  get hStride(): number {
    return roundUp(this.sizesNow.width, 2);
  }

  /** Entries of a matrix G `[columns, width]` in padded rows. */
  get matrixLength(): number {
    return this.xStride * this.hStride;
  }

  /** Row i of x begins at i * xStride. Valid until the next {@link resize}, as the other views. */
  get x(): Float64Array {
    return this.view(this.addresses.x, this.sizesNow.rows * this.xStride);
  }

  /** Row i of h begins at i * hStride. */
  get h(): Float64Array {
    return this.view(this.addresses.h, this.sizesNow.rows * this.hStride);
  }

  get y(): Float64Array {
    return this.view(this.addresses.y, this.sizesNow.rows);
  }

  /** Bytes that the problem takes. */
  get bytes(): number {
    return this.kernel.memory.buffer.byteLength;
  }

  /** Makes room for a problem and sets all its numbers to 0. @throws {ShapeError} on a size below 1. */
  resize(sizes: RowSizes): void {
    const { rows, columns, width } = sizes;
    if (!(rows >= 1 && columns >= 1 && width >= 1 && Number.isInteger(rows * columns * width))) {
      throw new ShapeError({
        where: 'BilinearRows',
        expected: 'sizes of 1 or more',
        got: `${rows}, ${columns}, ${width}`,
      });
    }
    this.sizesNow = sizes;
    const padded = roundUp(rows, 4);
    const matrix = 8 * this.matrixLength;
    const x = HEADER;
    const h = x + 8 * padded * this.xStride;
    const y = h + 8 * padded * this.hStride;
    const g = y + 8 * padded;
    const r = roundUp(g + matrix, 16);
    const scratch = r + 8 * padded;
    const out = scratch + 8 * BLOCK * this.hStride;
    const end = out + matrix;
    this.addresses = { x, h, y, g, r, scratch, out };
    growTo(this.kernel.memory, end);
    this.numbers = new Float64Array(this.kernel.memory.buffer);
    this.numbers.fill(0, HEADER / 8, end / 8);
  }

  private view(address: number, length: number): Float64Array {
    return new Float64Array(this.kernel.memory.buffer, address, length);
  }

  /** Writes x_i^T G h_i for every row to `out`. @param g in padded rows. */
  predict(g: Float64Array, out: Float64Array): void {
    this.numbers.set(g, this.addresses.g / 8);
    this.forwardFrom(0, roundUp(this.sizesNow.rows, 4));
    const { rows } = this.sizesNow;
    out.set(this.numbers.subarray(this.addresses.r / 8, this.addresses.r / 8 + rows));
  }

  /** Writes sum_i c_i x_i h_i^T to `out`, in padded rows. */
  combine(coefficients: Float64Array, out: Float64Array): void {
    const { rows } = this.sizesNow;
    const at = this.addresses.r / 8;
    this.numbers.fill(0, at, at + roundUp(rows, 4));
    this.numbers.set(coefficients.subarray(0, rows), at);
    this.startOut();
    for (let first = 0; first < rows; first += BLOCK) this.adjointFrom(first, this.blockRows(first));
    this.copyOut(out);
  }

  /** Writes sum_i (x_i^T G h_i) x_i h_i^T to `out`: the normal equations' matrix times G. */
  applyGram(g: Float64Array, out: Float64Array): void {
    const { rows } = this.sizesNow;
    this.numbers.set(g, this.addresses.g / 8);
    this.startOut();
    for (let first = 0; first < rows; first += BLOCK) {
      const count = this.blockRows(first);
      this.forwardFrom(first, count);
      this.adjointFrom(first, count);
    }
    this.copyOut(out);
  }

  private blockRows(first: number): number {
    return Math.min(BLOCK, roundUp(this.sizesNow.rows, 4) - first);
  }

  private startOut(): void {
    const at = this.addresses.out / 8;
    this.numbers.fill(0, at, at + this.matrixLength);
  }

  private copyOut(out: Float64Array): void {
    const at = this.addresses.out / 8;
    out.set(this.numbers.subarray(at, at + this.matrixLength));
  }

  private forwardFrom(first: number, count: number): void {
    const { x, h, g, r } = this.addresses;
    const { xStride, hStride } = this;
    this.kernel.forward(x + 8 * first * xStride, h + 8 * first * hStride, count, xStride, hStride, g, r + 8 * first);
  }

  private adjointFrom(first: number, count: number): void {
    const { x, h, r, scratch, out } = this.addresses;
    const { xStride, hStride } = this;
    this.kernel.adjoint(
      x + 8 * first * xStride,
      h + 8 * first * hStride,
      count,
      xStride,
      hStride,
      r + 8 * first,
      scratch,
      out,
    );
  }
}

function plainMemory(): KernelMemory {
  let buffer = new ArrayBuffer(0);
  return {
    get buffer() {
      return buffer;
    },
    grow(pages) {
      buffer = new ArrayBuffer(buffer.byteLength + pages * pageBytes);
      return 0;
    },
  };
}

/** The kernel's formulas, one number at a time: what tests compare it with. Addresses are in bytes, as there. */
function plainPasses(numbersNow: () => Float64Array): Passes {
  return {
    forward(x, h, rows, columns, width, g, r) {
      const a = numbersNow();
      for (let i = 0; i < rows; i++) {
        let total = 0;
        for (let c = 0; c < columns; c++) {
          let sum = 0;
          for (let j = 0; j < width; j++) sum += a[g / 8 + c * width + j]! * a[h / 8 + i * width + j]!;
          total += sum * a[x / 8 + i * columns + c]!;
        }
        a[r / 8 + i] = total;
      }
    },
    adjoint(x, h, rows, columns, width, r, _scratch, out) {
      const a = numbersNow();
      for (let i = 0; i < rows; i++) {
        for (let c = 0; c < columns; c++) {
          const factor = a[r / 8 + i]! * a[x / 8 + i * columns + c]!;
          const to = out / 8 + c * width;
          for (let j = 0; j < width; j++) a[to + j] = a[to + j]! + factor * a[h / 8 + i * width + j]!;
        }
      }
    },
  };
}
