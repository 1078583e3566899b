/** Settings as text, `--set d=5,covariance=[2,1,.5]`: splitting, checking, defaults. */
import { UsageError, unknownName } from '../models/errors.ts';
import type { Setting, Settings, SettingValue, Study } from './study.ts';

/** A setting that is a whole number. */
export function wholeNumberSetting(name: string, description: string, initial: number | string, least = 1): Setting {
  return {
    name,
    description,
    default: initial,
    parse(where, text) {
      const value = Number(text);
      if (text.trim() === '' || !Number.isSafeInteger(value) || value < least) {
        throw new UsageError({ where, expected: `a whole number, ${least} or more`, got: JSON.stringify(text) });
      }
      return value;
    },
  };
}

/** A setting that is a number of 0 or more. */
export function nonNegativeSetting(name: string, description: string, initial: number): Setting {
  return {
    name,
    description,
    default: initial,
    parse(where, text) {
      const value = Number(text);
      if (text.trim() === '' || !Number.isFinite(value) || value < 0) {
        throw new UsageError({ where, expected: 'a number, 0 or more', got: JSON.stringify(text) });
      }
      return value;
    },
  };
}

/** A setting that is one of a few words, by default the first. */
export function choiceSetting(name: string, description: string, choices: readonly [string, ...string[]]): Setting {
  return {
    name,
    description,
    default: choices[0],
    parse(where, text) {
      if (choices.includes(text)) return text;
      throw new UsageError({ where, expected: choices.join(' or '), got: JSON.stringify(text) });
    },
  };
}

/** A setting that is a number above 0. */
export function positiveSetting(name: string, description: string, initial: number): Setting {
  return {
    name,
    description,
    default: initial,
    parse(where, text) {
      const value = Number(text);
      if (text.trim() === '' || !Number.isFinite(value) || value <= 0) {
        throw new UsageError({ where, expected: 'a number above 0', got: JSON.stringify(text) });
      }
      return value;
    },
  };
}

/** A setting whose text the study reads itself, once all others are known. */
export function textSetting(name: string, description: string, initial: string): Setting {
  return { name, description, default: initial, parse: (_where, text) => text };
}

/**
 * Splits `a=1,b=[2,3]` at the commas that no bracket encloses.
 * @throws {UsageError} on a bracket without its partner.
 */
export function splitAssignments(text: string): string[] {
  const parts: string[] = [];
  const open: string[] = [];
  const closing: Readonly<Record<string, string>> = { '[': ']', '(': ')' };
  let part = '';
  for (const character of text) {
    const expected = closing[character];
    if (expected !== undefined) open.push(expected);
    else if (character === ']' || character === ')') {
      if (open.pop() !== character) throw unbalanced(text);
    }
    if (character === ',' && open.length === 0) {
      parts.push(part);
      part = '';
    } else part += character;
  }
  if (open.length > 0) throw unbalanced(text);
  return [...parts, part];
}

const unbalanced = (text: string) =>
  new UsageError({
    where: '--set',
    expected: 'every bracket with its partner',
    got: JSON.stringify(text),
    remedy: 'Quote the argument if it has brackets: --set "covariance=[2,1,.5]".',
  });

/**
 * All settings of a study: what the texts say, defaults for the rest.
 * @throws {UsageError} for an unknown key (with the nearest), a key given twice, a bad value, or settings that contradict
 *   one another.
 */
export function parseSettings(study: Pick<Study, 'name' | 'settings' | 'task'>, texts: readonly string[]): Settings {
  const given = new Map<string, string>();
  for (const assignment of texts.flatMap(splitAssignments)) {
    const [, rawKey, value] = /^([^=]*)=(.*)$/s.exec(assignment) ?? [];
    if (rawKey === undefined || value === undefined) {
      throw new UsageError({ where: '--set', expected: 'key=value,key=value,..', got: JSON.stringify(assignment) });
    }
    const key = rawKey.trim();
    const names = study.settings.map(({ name }) => name);
    if (!names.includes(key)) throw unknownName(`--set (study ${study.name})`, key, names);
    if (given.has(key)) {
      throw new UsageError({ where: `--set ${key}`, expected: 'one value', got: 'two' });
    }
    given.set(key, value.trim());
  }
  const resolved: Record<string, SettingValue> = {};
  for (const setting of study.settings) {
    const text = given.get(setting.name);
    if (text !== undefined) resolved[setting.name] = setting.parse(`--set ${setting.name}`, text);
    else resolved[setting.name] = resolved[String(setting.default)] ?? setting.default;
  }
  study.task(resolved);
  return resolved;
}

/** `d=5,N=20`: settings as `--set` takes them, those at their default left out. */
export function formatSettings(study: Pick<Study, 'settings'>, settings: Settings): string {
  return study.settings
    .filter(({ name, default: initial }) => settings[name] !== (settings[String(initial)] ?? initial))
    .map(({ name }) => `${name}=${String(settings[name])}`)
    .join(',');
}

/** A setting that is known to be a number. */
export const numberOf = (settings: Settings, name: string): number => Number(settings[name]);
