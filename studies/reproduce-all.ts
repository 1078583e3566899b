/**
 * All studies one after the other, each into its own folder. A study that fails is reported and the others go on; an
 * abort ends it all. Knows no paper, and prints nothing.
 */
import { join } from 'node:path';
import { parseSettings } from './settings.ts';
import {
  allFigures,
  type ReproduceOptions,
  type ReproduceResult,
  type ReproducibleStudy,
  type Study,
} from './study.ts';

export interface ReproduceAllOptions extends Omit<ReproduceOptions, 'settings' | 'figure' | 'onProgress'> {
  readonly onProgress?: (progress: AllProgress) => void;
}

export interface AllProgress {
  /** From 0 to 1, over all studies: each counts as many parts as it says it takes minutes. */
  readonly fraction: number;
  readonly study: string;
  readonly detail: string;
}

/** What became of a study. */
export type Outcome = Reproduced | Failed;

export interface Reproduced {
  readonly study: Study;
  readonly result: ReproduceResult;
}

export interface Failed {
  readonly study: Study;
  readonly error: unknown;
}

export const isReproduced = (outcome: Outcome): outcome is Reproduced => 'result' in outcome;

/**
 * Reproduces studies with their default settings and all their figures, the extra ones too.
 * @param options.folder Holds a folder per study.
 * @throws the signal's reason once it is aborted, and nothing else.
 */
export async function* reproduceAll(
  studies: readonly ReproducibleStudy[],
  { onProgress, folder, ...options }: ReproduceAllOptions,
): AsyncGenerator<Outcome, void, undefined> {
  const minutes = studies.map(({ cost }) => (options.isQuick ? cost.quick : cost.full).minutes);
  const total = minutes.reduce((sum, value) => sum + value, 0);
  let done = 0;
  for (const [i, study] of studies.entries()) {
    const started = done;
    try {
      const result = await study.reproduce({
        ...options,
        settings: parseSettings(study, []),
        figure: allFigures,
        folder: join(folder, study.name),
        onProgress: ({ fraction, detail }) =>
          onProgress?.({ fraction: (started + fraction * minutes[i]!) / total, study: study.name, detail }),
      });
      yield { study, result };
    } catch (error) {
      options.signal?.throwIfAborted();
      yield { study, error };
    }
    options.signal?.throwIfAborted();
    done += minutes[i]!;
  }
}
