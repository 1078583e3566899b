/** What verification found, as claims: one per provider, about the file that is worst there. Knows no study. */
import { boundClaim } from './claims.ts';
import type { TrainedModel } from './reproduce.ts';
import type { Claim } from './study.ts';

/** The exported files against the float64 reference. */
export function parityClaims(models: readonly TrainedModel[]): Claim[] {
  const results = models.flatMap(({ plan, run }) => run.parity.map((result) => ({ ...result, label: plan.label })));
  return [...new Set(results.map(({ provider }) => provider))].map((provider) => {
    const error = ({ maxRelative, ok }: (typeof results)[number]) => (ok ? maxRelative : Number.POSITIVE_INFINITY);
    const worst = results
      .filter((result) => result.provider === provider)
      .reduce((a, b) => (error(b) > error(a) ? b : a));
    const claim = boundClaim(`largest relative error of the ONNX files on ${provider}`, {
      theory: 0,
      measured: worst.maxRelative,
      limit: worst.tolerance.relative,
      shown: `tolerance ${worst.tolerance.relative.toExponential(0).replace('-', '−')}`,
    });
    return { ...claim, holds: claim.holds && worst.ok };
  });
}
