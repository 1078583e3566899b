/**
 * The experiments of Zhang, Frei, Bartlett (2024), in three parts: layers trained on one covariance, layers trained on a new
 * covariance for each prompt, and the transformer of Figure 1. A figure that is not wanted costs nothing.
 */
import { chooseFigures } from '../figure-choice.ts';
import { parityClaims } from '../parity-claims.ts';
import { openWorkshop } from '../reproduce.ts';
import type { Claim, ReproduceOptions, ReproduceResult, Study } from '../study.ts';
import { type GptSize, gptPart } from './gpt.ts';
import { layerPart, type Size } from './layer.ts';
import type { PartResult } from './part.ts';
import { type RandomSize, randomPart } from './random.ts';

/** How much work each part is; by default what the options say. */
export interface Sizes {
  readonly layer?: Size;
  readonly random?: RandomSize;
  readonly gpt?: GptSize;
}

function foundIn(claims: readonly Claim[]): string {
  const failed = claims.filter(({ holds }) => !holds).length;
  const largest = Math.max(0, ...claims.map(({ z }) => Math.abs(z ?? 0)));
  if (failed > 0) return `${failed} of the ${claims.length} claims below ${failed === 1 ? 'is' : 'are'} flagged.`;
  return `All ${claims.length} claims below hold; the largest deviation from theory is ${largest.toFixed(1)} standard errors.`;
}

export async function reproduce(study: Study, options: ReproduceOptions, sizes: Sizes = {}): Promise<ReproduceResult> {
  const choice = chooseFigures(study, options);
  const parts = [
    layerPart(options, choice, sizes.layer),
    randomPart(options, choice, sizes.random),
    gptPart(options, choice, sizes.gpt),
  ].filter((part) => part !== null);
  const stages = parts.reduce((sum, part) => sum + part.stages, 0);
  const workshop = openWorkshop(study, options, stages);
  const results: PartResult[] = [];
  for (const part of parts) results.push(await part.run(workshop));
  const models = results.flatMap((result) => result.models);
  const claims = [...results.flatMap((result) => result.claims), ...parityClaims(models)];
  const lead = [...results.map(({ sentence }) => sentence), foundIn(claims)].join(' ');
  return workshop.finish(
    lead,
    claims,
    results.flatMap((result) => result.figures),
  );
}
