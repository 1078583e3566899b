/** From what a person chose to a configuration, and to the command that trains the same elsewhere. Knows no page and no engine. */
import { UsageError } from '../../../../models/errors.ts';
import { version } from '../../../../models/version.ts';
import { configOf, type RunOverrides, withOverrides } from '../../../../studies/configuration.ts';
import { definitions, studyIn } from '../../../../studies/definitions.ts';
import { formatSettings, parseSettings } from '../../../../studies/settings.ts';
import type { Study } from '../../../../studies/study.ts';
import type { TrainingConfig } from '../../../../train/config.ts';
import { type VariantName, variants } from './variants.ts';

/** What a person chose. Null: as the study has it. */
export interface TrainingRequest {
  readonly study: string;
  /** Settings as `--set` takes them: `d=2,N=20`. */
  readonly settings: string;
  readonly variant: VariantName;
  readonly steps: number | null;
  readonly batch: number | null;
  readonly seed: number;
  readonly learningRate: number | null;
}

export interface ResolvedRequest {
  readonly study: Study;
  readonly config: TrainingConfig;
  readonly command: string;
}

/** Numbers in a batch of prompts that a page can hold several of without trouble. */
const MOST_NUMBERS = 8e6;

/** @throws {UsageError} in the words of the study and of the command line. */
export function resolveRequest(request: TrainingRequest): ResolvedRequest {
  const { settings: text, variant, steps, batch, seed, learningRate } = request;
  const study = studyIn(definitions, request.study);
  const settings = parseSettings(study, text.trim() === '' ? [] : [text]);
  const overrides: RunOverrides = {
    seed,
    ...(steps === null ? {} : { steps }),
    ...(batch === null ? {} : { batch }),
    ...(learningRate === null ? {} : { learningRate }),
  };
  const base = configOf(study, settings, variants[variant].overrides(settings), { 'icl-onnx': version });
  const config = withOverrides(`study ${study.name}`, base, overrides);
  const numbers = config.batch * (config.contextLength + 1) * (config.model.dimension + 1);
  if (numbers > MOST_NUMBERS) {
    throw new UsageError({
      where: 'training in a page',
      expected: `at most ${MOST_NUMBERS} numbers in a batch of prompts`,
      got: `${config.batch} prompts of ${config.contextLength + 1} points in ${config.model.dimension} dimensions`,
      remedy: 'Take a smaller batch, shorter prompts, or the command line.',
    });
  }
  const set = formatSettings(study, settings);
  const words = [
    'icl train',
    variant === 'study' ? study.name : 'config.json',
    ...(variant === 'study' && set !== '' ? [`--set ${/^[\w.,=-]*$/.test(set) ? set : `"${set}"`}`] : []),
    ...(variant === 'study'
      ? [
          ...(steps === null ? [] : [`--steps ${steps}`]),
          ...(batch === null ? [] : [`--batch ${batch}`]),
          `--seed ${seed}`,
          ...(learningRate === null ? [] : [`--learning-rate ${learningRate}`]),
        ]
      : []),
    `--out runs/${study.name}`,
  ];
  return { study, config, command: words.join(' ') };
}
