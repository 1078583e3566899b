/** The experiments of Ding et al. (2025), figure by figure: which are done, with how much work, and what was found. */
import { chooseFigures } from '../figure-choice.ts';
import { openWorkshop } from '../reproduce.ts';
import type { Claim, ReproduceOptions, ReproduceResult, Study } from '../study.ts';
import { attention } from './attention.ts';
import { curvature } from './curvature.ts';
import { depth } from './depth.ts';
import type { Experiment, Outcome, Size } from './experiment.ts';
import { forms } from './forms.ts';
import { gap } from './gap.ts';
import { objectives } from './objectives.ts';
import { realisability } from './realisability.ts';

const quick: Size = {
  seeds: 1,
  prompts: 20_000,
  verification: { batches: [1, 7, 33] },
  forms: { steps: 3000 },
  gap: { dimensions: [1, 2, 4, 6, 8], steps: 600, prompts: 1000 },
  depth: { states: [2, 3], steps: 1500, freshSteps: 700 },
  objectives: { steps: 1500, contextLength: 100, prompts: 64 },
  attention: { steps: 800, contextLength: 20, groups: [2, 4] },
  largestSearch: 6,
};

const full: Size = {
  seeds: 5,
  prompts: 100_000,
  verification: {},
  forms: { steps: 10_000 },
  gap: { dimensions: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], steps: 1000, prompts: 1000 },
  depth: { states: [2, 3, 4], steps: 2000, freshSteps: 5000 },
  objectives: { steps: 10_000, contextLength: 100, prompts: 256 },
  attention: { steps: 30_000, contextLength: 48, groups: [2, 4] },
  largestSearch: 8,
};

const experiments: readonly Experiment[] = [depth, gap, realisability, forms, curvature, objectives, attention];

function leadOf(outcomes: readonly Outcome[], claims: readonly Claim[]): string {
  const count = outcomes.reduce((sum, { models }) => sum + models.length, 0);
  const failed = claims.filter(({ holds }) => !holds).length;
  const largest = Math.max(0, ...claims.map(({ z }) => Math.abs(z ?? 0)));
  const trained =
    count === 0
      ? ''
      : `${count} model${count === 1 ? ' was' : 's were'} trained, frozen as ONNX files, verified and measured. `;
  const found =
    failed === 0
      ? `All ${claims.length} claims below hold; the largest deviation from theory is ${largest.toFixed(1)} standard errors.`
      : `${failed} of the ${claims.length} claims below ${failed === 1 ? 'is' : 'are'} flagged.`;
  return `Markov chains with a fresh kernel per prompt, predicted by linear self-attention. ${trained}${found}`;
}

/** @param size How much work; by default what the options say. */
export async function reproduce(
  study: Study,
  options: ReproduceOptions,
  size: Size = options.isQuick ? quick : full,
): Promise<ReproduceResult> {
  const { wants } = chooseFigures(study, options);
  const chosen = study.figures.flatMap(({ name }) => experiments.filter((one) => one.name === name && wants(name)));
  const stages = chosen.reduce((sum, one) => sum + one.stages(size), 0);
  const workshop = openWorkshop(study, options, stages);
  const { settings, seed } = options;
  const outcomes: Outcome[] = [];
  for (const experiment of chosen) outcomes.push(await experiment.run({ workshop, settings, seed, size }));
  const claims = outcomes.flatMap((outcome) => outcome.claims);
  return workshop.finish(
    leadOf(outcomes, claims),
    claims,
    outcomes.map(({ figure }) => figure),
  );
}
