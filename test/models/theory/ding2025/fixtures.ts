/** Random matrices and chains for the tests of ding2025: what does not share the code under test. */
import { createGenerator, fillExponentials, fillNormals } from '../../../../models/random.ts';
import type { LayerFactors } from '../../../../models/theory/ding2025.ts';

/** `count` standard normals; the same for the same number. */
export function normals(number: number, count: number): number[] {
  const out = new Float32Array(count);
  fillNormals(createGenerator(7, 99), { prompt: number, purpose: 0 }, out, 0, count);
  return [...out];
}

/** `count` uniform numbers in (0, 1). */
export function uniforms(number: number, count: number): number[] {
  const out = new Float32Array(count);
  fillExponentials(createGenerator(7, 99), { prompt: number, purpose: 1 }, out, 0, count);
  return Array.from(out, (value) => Math.exp(-value));
}

export function randomMatrix(number: number, rows: number, columns: number): number[][] {
  const values = normals(number, rows * columns);
  return Array.from({ length: rows }, (_, i) => values.slice(i * columns, (i + 1) * columns));
}

export const randomLayer = (number: number, d: number): LayerFactors => ({
  b: normals(2 * number, d + 1),
  A: randomMatrix(2 * number + 1, d + 1, d),
});

/** `count` chains of `length` states under a kernel. */
export function randomChains(number: number, count: number, length: number, p: number, p01: number, p11: number) {
  const u = uniforms(number, count * length);
  return Array.from({ length: count }, (_, i) => {
    const chain: number[] = [];
    for (let t = 0; t < length; t++) {
      const one = t === 0 ? p : chain[t - 1] === 1 ? p11 : p01;
      chain.push(u[i * length + t]! < one ? 1 : 0);
    }
    return chain;
  });
}

/** All chains of `length` states with their probabilities, by enumeration. */
export function enumerateChains(length: number, p: number, p01: number, p11: number) {
  return Array.from({ length: 2 ** length }, (_, bits) => {
    const states = Array.from({ length }, (_, t) => Math.floor(bits / 2 ** t) % 2);
    let probability = states[0] === 1 ? p : 1 - p;
    for (let t = 1; t < length; t++) {
      const one = states[t - 1] === 1 ? p11 : p01;
      probability *= states[t] === 1 ? one : 1 - one;
    }
    return { states, probability };
  });
}
