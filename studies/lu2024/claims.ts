/** What the reproduction claims: each statement with the number theory gives and the one that was found. */
import { boundClaim, type Comparison, comparisonsOf, statisticalClaim } from '../claims.ts';
import { parityClaims } from '../parity-claims.ts';
import type { RunRow, TrainedModel } from '../reproduce.ts';
import type { Claim } from '../study.ts';
import type { GridResult, RiskName, SizeSeries } from './grid.ts';

export interface Findings {
  readonly frozen: readonly TrainedModel[];
  readonly rows: readonly RunRow[];
  readonly sizes: readonly SizeSeries[];
  readonly bayes: readonly GridResult[];
  readonly demo: readonly GridResult[];
}

const errors: readonly (readonly [RiskName, string])[] = [
  ['iclRisk', 'error on fresh tasks'],
  ['idgRisk', 'error on pretraining tasks'],
  ['trainRisk', 'error on the pretraining contexts'],
];

/** The limits that fits at several d point to. */
function limitClaims({ sizes }: Findings): Claim[] {
  if (sizes.length === 0) return [];
  const shown = sizes[0]!.results.map(({ point }) => point.d).join(', ');
  return errors.map(([name, words]) => {
    const comparisons = sizes.flatMap(({ label, limits }): Comparison[] => {
      const { mean, standardError, theory } = limits[name];
      // Without a ridge fewer contexts than parameters are interpolated: there is nothing to compare.
      if (name === 'trainRisk' && theory < 1e-6) return [];
      return [{ label, theory, measured: mean, standardError }];
    });
    return statisticalClaim(`${words}, extrapolated in 1/d from d = ${shown}`, comparisons);
  });
}

/** The frozen files on prompts against the exact error of their own Gamma. */
function frozenClaims({ rows, frozen }: Findings): Claim[] {
  const about = (level: number, words: string): Claim[] => {
    const comparisons = comparisonsOf(rows.filter((row) => row.level === level));
    return comparisons.length === 0 ? [] : [statisticalClaim(`frozen models on ${words}, against e(Γ)`, comparisons)];
  };
  const parity = frozen.length === 0 ? [] : parityClaims(frozen);
  return [...about(0, 'pretraining tasks'), ...about(1, 'fresh tasks'), ...parity];
}

/** Bayes with the bank loses nothing but the noise on tasks that it knows. */
function bayesClaims({ bayes }: Findings): Claim[] {
  if (bayes.length === 0) return [];
  const worst = bayes.reduce((a, b) => (b.idgRisk.mean > a.idgRisk.mean ? b : a));
  const { rho } = worst.phase;
  const least = bayes.reduce((a, b) => (b.gap.mean < a.gap.mean ? b : a));
  return [
    boundClaim('Bayes with the bank: error on pretraining tasks over ρ, largest', {
      theory: 1,
      measured: worst.idgRisk.mean / rho,
      limit: 1.05,
      shown: '5 %',
    }),
    boundClaim(`Bayes with the bank: 0.5 over its least gap, at κ = ${least.phase.kappa.toPrecision(3)}`, {
      measured: 0.5 / least.gap.mean,
      limit: 1,
      shown: '1: it never generalises',
    }),
  ];
}

/** The transition: above many tasks per dimension the gap is small, below it is large. */
function transitionClaims({ demo }: Findings): Claim[] {
  const at = (kappa: number) => demo.find(({ point }) => point.phase.kappa === kappa);
  const [few, many] = [at(0.2), at(4)];
  if (few === undefined || many === undefined) return [];
  return [
    boundClaim('gap at κ = 4 over gap at κ = 0.2', {
      theory: 0.00923 / 0.82533,
      measured: many.gap.mean / few.gap.mean,
      limit: 0.03,
      shown: '3 %',
    }),
  ];
}

export function claimsOf(findings: Findings): Claim[] {
  return [...limitClaims(findings), ...frozenClaims(findings), ...transitionClaims(findings), ...bayesClaims(findings)];
}
