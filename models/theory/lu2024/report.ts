/** All named numbers of the paper at one point of its phase diagram, as plain data: what `icl theory lu2024` prints. */
import { asymptoticRisk, contextRidgeRisk, taskGap } from './asymptotic-risk.ts';
import { lengthMinimum } from './context-length.ts';
import { infiniteContexts, longContexts } from './limits.ts';
import { optimalRidge } from './optimal-ridge.ts';
import type { Phase } from './resolvent.ts';
import { ridgelessIclRisk, ridgelessIdgRisk } from './ridgeless.ts';

export type PhaseReport = Readonly<Record<string, number>>;

/**
 * The errors at a point, what bounds them, and what a better ridge or length would give. `iclLengthMinimum` and
 * `idgLengthMinimum`, the alpha from which on longer contexts hurt (without a ridge), are absent where none does.
 * @throws {UsageError} on impossible numbers, and for tau = 1 with lambda = 0.
 */
export function phaseReport(phase: Phase): PhaseReport {
  const risks = asymptoticRisk(phase);
  const icl = optimalRidge('iclRisk', phase);
  const idg = optimalRidge('idgRisk', phase);
  const limit = infiniteContexts(phase);
  return {
    ...risks,
    taskGap: taskGap(risks),
    zeroRisk: 1 + phase.rho,
    contextRidgeRisk: contextRidgeRisk(phase),
    ...(phase.tau === 1
      ? {}
      : { ridgelessIclRisk: ridgelessIclRisk(phase), ridgelessIdgRisk: ridgelessIdgRisk(phase) }),
    iclOptimalLambda: icl.lambda,
    iclOptimalRisk: icl.risk,
    idgOptimalLambda: idg.lambda,
    idgOptimalRisk: idg.risk,
    iclRiskAtInfiniteTau: limit.iclRisk,
    idgRiskAtInfiniteTau: limit.idgRisk,
    iclRiskAtInfiniteTauAndAlpha: longContexts(phase).iclRisk,
    ...(phase.tau === 1 ? {} : minimaOf(phase)),
  };
}

function minimaOf(phase: Phase): PhaseReport {
  const icl = lengthMinimum('iclRisk', phase);
  const idg = lengthMinimum('idgRisk', phase);
  return {
    ...(icl === null ? {} : { iclLengthMinimum: icl.alpha }),
    ...(idg === null ? {} : { idgLengthMinimum: idg.alpha }),
  };
}
