/** Many points of the phase diagram, some draws at each: means with standard errors, and what they tend to as d grows. */
import { asymptoticRisk, type Phase } from '../../models/theory/lu2024.ts';
import { type DrawJob, type DrawOptions, type DrawResult, runDraws } from './draws.ts';
import { actualPhase, type Design } from './law.ts';

export type RiskName = 'iclRisk' | 'idgRisk' | 'trainRisk';
export const riskNames: readonly RiskName[] = ['iclRisk', 'idgRisk', 'trainRisk'];

export interface GridPoint {
  readonly kind?: DrawJob['kind'];
  /** As asked for. */
  readonly phase: Phase;
  readonly d: number;
  readonly draws: number;
  readonly prompts?: number;
}

export interface Estimate {
  readonly mean: number;
  readonly standardError: number;
}

export interface GridResult extends Record<RiskName, Estimate> {
  readonly point: GridPoint;
  /** With the whole numbers that it was done at. */
  readonly phase: Phase;
  /** e_ICL - e_IDG, draw by draw. */
  readonly gap: Estimate;
  readonly results: readonly DrawResult[];
}

export function estimate(values: readonly number[]): Estimate {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, standardError: values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1) / values.length) };
}

/** Draw number j of point number i has a seed of its own, so that points are independent. */
export async function drawGrid(
  points: readonly GridPoint[],
  { seed, design, ...options }: { readonly seed: number; readonly design: Design } & DrawOptions,
): Promise<readonly GridResult[]> {
  const jobs = points.flatMap(({ kind = 'fit', phase, d, draws, prompts }, i) =>
    Array.from({ length: draws }, (_, j): DrawJob => {
      const own = { kind, phase, d, seed: seed * 2 ** 18 + i * 1024 + j, design };
      return prompts === undefined ? own : { ...own, prompts };
    }),
  );
  const results = await runDraws(jobs, options);
  let at = 0;
  return points.map((point) => {
    const own = results.slice(at, at + point.draws);
    at += point.draws;
    const of = (value: (result: DrawResult) => number) => estimate(own.map(value));
    return {
      point,
      phase: actualPhase(point.phase, point.d),
      iclRisk: of(({ iclRisk }) => iclRisk),
      idgRisk: of(({ idgRisk }) => idgRisk),
      trainRisk: of(({ trainRisk }) => trainRisk),
      gap: of(({ iclRisk, idgRisk }) => iclRisk - idgRisk),
      results: own,
    };
  });
}

/** A line a + b / d through estimates at several d, weighted by their standard errors: a is the limit. */
export interface Extrapolation extends Estimate {
  /** b */
  readonly slope: number;
}

export function extrapolate(points: readonly { readonly d: number; readonly estimate: Estimate }[]): Extrapolation {
  let [s, sx, sxx, sy, sxy] = [0, 0, 0, 0, 0];
  for (const { d, estimate: value } of points) {
    const weight = value.standardError ** -2;
    const x = 1 / d;
    s += weight;
    sx += weight * x;
    sxx += weight * x * x;
    sy += weight * value.mean;
    sxy += weight * x * value.mean;
  }
  const determinant = s * sxx - sx * sx;
  return {
    mean: (sxx * sy - sx * sxy) / determinant,
    slope: (s * sxy - sx * sy) / determinant,
    standardError: Math.sqrt(sxx / determinant),
  };
}

/** The same point at several d, and where it goes. */
export interface SizeSeries {
  readonly label: string;
  readonly phase: Phase;
  readonly results: readonly GridResult[];
  readonly limits: Readonly<Record<RiskName, Extrapolation & { readonly theory: number }>>;
}

export function sizeSeries(label: string, results: readonly GridResult[]): SizeSeries {
  const { phase } = results[0]!.point;
  const theory = asymptoticRisk(phase);
  const limit = (name: RiskName) => ({
    ...extrapolate(results.map((result) => ({ d: result.point.d, estimate: result[name] }))),
    theory: theory[name],
  });
  const limits = { iclRisk: limit('iclRisk'), idgRisk: limit('idgRisk'), trainRisk: limit('trainRisk') };
  return { label, phase, results, limits };
}
