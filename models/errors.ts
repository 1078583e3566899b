/**
 * The errors this library throws on purpose. Each carries the facts of its message as fields, so that a caller can
 * react without parsing text. Every message has the form
 * `where: expected <what>, got <value>. <What to do.>`
 * Nothing here prints or exits; only `cli/main.ts` does.
 */

export interface Facts {
  /** The function, file, tensor or flag the error speaks about. */
  readonly where: string;
  /** What would have been right, in words. */
  readonly expected: string;
  /** What was there instead, in words. */
  readonly got: string;
  /** What the reader can do about it: a full sentence. */
  readonly remedy?: string;
  readonly cause?: unknown;
}

/** Base class of all errors below. Its exit code is what the command line leaves with. */
export abstract class IclError extends Error {
  abstract override readonly name: string;
  readonly exitCode: 1 | 2 = 1;
  readonly where: string;
  readonly expected: string;
  readonly got: string;
  readonly remedy: string | undefined;

  constructor({ where, expected, got, remedy, cause }: Facts) {
    const message = `${where}: expected ${expected}, got ${got}.${remedy === undefined ? '' : ` ${remedy}`}`;
    super(message, cause === undefined ? undefined : { cause });
    this.where = where;
    this.expected = expected;
    this.got = got;
    this.remedy = remedy;
  }
}

/** A tensor has another shape than the contract says. */
export class ShapeError extends IclError {
  override readonly name = 'ShapeError';
}

/** A graph cannot be built, serialized or read. */
export class ExportError extends IclError {
  override readonly name = 'ExportError';
}

/** An execution provider, an engine or a device that was asked for does not work here. */
export class ProviderError extends IclError {
  override readonly name = 'ProviderError';
}

/** The command line or a configuration is wrong: an unknown key, a bad value. Exit code 2. */
export class UsageError extends IclError {
  override readonly name = 'UsageError';
  override readonly exitCode = 2;
}

/** A file or a number that came from outside is wrong: NaN in a prompt, a truncated model, a full disk. */
export class DataError extends IclError {
  override readonly name = 'DataError';
}

/** A {@link DataError} for numbers that are more than memory holds. */
export function tooLarge(where: string, bytes: number, cause?: unknown): DataError {
  return new DataError({
    where,
    expected: 'numbers that fit into memory',
    got: `${(bytes / 2 ** 30).toPrecision(3)} GiB in one piece`,
    remedy: 'Take fewer prompts, pairs or queries at a time.',
    cause,
  });
}

/** Training cannot go on: the loss is not finite or has diverged. The last good checkpoint is kept. */
export class TrainingError extends IclError {
  override readonly name = 'TrainingError';
}

/** Levenshtein distance, for "did you mean". */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(substitution, previous[j]! + 1, current[j - 1]! + 1));
    }
    previous = current;
  }
  return previous[b.length]!;
}

/** The sentence `Did you mean x?` for the nearest of the known words, or undefined when none is near. */
export function didYouMean(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best === undefined ? undefined : `Did you mean ${best}?`;
}

/** A {@link UsageError} for a word that is not in a closed list, with the nearest one suggested. */
export function unknownName(where: string, word: string, known: readonly string[]): UsageError {
  const remedy = didYouMean(word, known);
  return new UsageError({
    where,
    expected: `one of ${known.join(', ')}`,
    got: JSON.stringify(word),
    ...(remedy === undefined ? {} : { remedy }),
  });
}
