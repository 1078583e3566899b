/** What the commands ask for by a study's name, a configuration file or a frozen model; all of it generic over studies. */
import { existsSync, readFileSync } from 'node:fs';
import { fileError } from '../export/files.ts';
import { DataError, UsageError } from '../models/errors.ts';
import { parseConfig, type TrainingConfig } from '../train/config.ts';
import { type RunOverrides, withOverrides } from './configuration.ts';
import { studies, studyNamed } from './index.ts';
import { resolveConfig } from './pipeline.ts';
import { parseSettings } from './settings.ts';

export type { RunOverrides } from './configuration.ts';
export { exportRun, recordParity, trainAndExport } from './pipeline.ts';

/**
 * The configuration that `icl train` means.
 * @param studyOrConfig Name of a study, or path of a `config.json`.
 * @param assignments Texts of `--set`.
 * @throws {UsageError} for unknown names and keys, with the nearest; {DataError} for a file that is not a configuration.
 */
export function resolveRun(
  studyOrConfig: string,
  assignments: readonly string[],
  overrides: RunOverrides,
): TrainingConfig {
  const isFile = studyOrConfig.endsWith('.json') || (existsSync(studyOrConfig) && !isStudy(studyOrConfig));
  if (!isFile) {
    const study = studyNamed(studyOrConfig);
    const settings = parseSettings(study, assignments);
    const base = resolveConfig(study, settings, {});
    return withOverrides(`study ${study.name}`, base, overrides);
  }
  if (assignments.length > 0) {
    throw new UsageError({
      where: '--set',
      expected: 'the name of a study',
      got: studyOrConfig,
      remedy: 'A configuration file holds its own settings: change them there.',
    });
  }
  const base = readConfigFile(studyOrConfig);
  return withOverrides(studyOrConfig, base, overrides);
}

const isStudy = (name: string) => studies.some((study) => study.name === name);

function readConfigFile(path: string): TrainingConfig {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw fileError(path, 'a configuration', cause);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const got = text.trim() === '' ? 'nothing' : JSON.stringify(text.slice(0, 60));
    throw new DataError({ where: path, expected: 'JSON', got, cause });
  }
  return parseConfig(path, value);
}
