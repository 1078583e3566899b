/** What all studies say, by name: pure data and formulas, for a page as well as for the command line. */
import { unknownName } from '../models/errors.ts';
import { ding2025 } from './ding2025.ts';
import { huang2023 } from './huang2023.ts';
import { lu2024 } from './lu2024.ts';
import { shen2024 } from './shen2024.ts';
import type { Study } from './study.ts';
import { zhang2023 } from './zhang2023.ts';

export const definitions: readonly Study[] = [zhang2023, huang2023, lu2024, shen2024, ding2025];

/** @throws {UsageError} naming the nearest known study. */
export function studyIn<Each extends Study>(studies: readonly Each[], name: string): Each {
  const found = studies.find((study) => study.name === name);
  if (found !== undefined) return found;
  const names = studies.map((study) => study.name);
  throw unknownName('study', name, names);
}
