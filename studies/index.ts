/** All studies, by name. A new one is a file beside this and a line here. */
import { unknownName } from '../models/errors.ts';
import { ding2025 } from './ding2025.ts';
import { huang2023 } from './huang2023.ts';
import { lu2024 } from './lu2024.ts';
import { shen2024 } from './shen2024.ts';
import type { Study } from './study.ts';
import { zhang2023 } from './zhang2023.ts';

export const studies: readonly Study[] = [zhang2023, huang2023, lu2024, shen2024, ding2025];

/** @throws {UsageError} naming the nearest known study. */
export function studyNamed(name: string): Study {
  const found = studies.find((study) => study.name === name);
  if (found === undefined) {
    throw unknownName(
      'study',
      name,
      studies.map((study) => study.name),
    );
  }
  return found;
}
