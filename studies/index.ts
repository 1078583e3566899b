/** All studies with their experiments, by name. A new one is a line in `definitions.ts` and a line here. */
import { studyIn } from './definitions.ts';
import { ding2025 } from './ding2025.ts';
import { huang2023 } from './huang2023.ts';
import { lu2024 } from './lu2024.ts';
import { shen2024 } from './shen2024.ts';
import type { ReproducibleStudy, Study } from './study.ts';
import { zhang2023 } from './zhang2023.ts';

/** The part of a study that draws and measures. */
interface Experiments {
  reproduce(
    study: Study,
    ...options: Parameters<ReproducibleStudy['reproduce']>
  ): ReturnType<ReproducibleStudy['reproduce']>;
}

/** The experiments bring a plotting library along: only when they are asked for. */
const withExperiments = (study: Study, load: () => Promise<Experiments>): ReproducibleStudy => ({
  ...study,
  reproduce: async (options) => (await load()).reproduce(study, options),
});

export const studies: readonly ReproducibleStudy[] = [
  withExperiments(zhang2023, () => import('./zhang2023/experiments.ts')),
  withExperiments(huang2023, () => import('./huang2023/experiments.ts')),
  withExperiments(lu2024, () => import('./lu2024/experiments.ts')),
  withExperiments(shen2024, () => import('./shen2024/experiments.ts')),
  withExperiments(ding2025, () => import('./ding2025/experiments.ts')),
];

/** @throws {UsageError} naming the nearest known study. */
export const studyNamed = (name: string): ReproducibleStudy => studyIn(studies, name);
