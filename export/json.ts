/** JSON as files store it: keys sorted at every level, so that equal values are equal bytes; nothing lost silently. */
import { ExportError } from '../models/errors.ts';

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };

/**
 * The one text of a value. A property that is undefined is left out, as JSON does; anything else that JSON would drop
 * or turn into null is refused.
 * @throws {ExportError} naming the place of a number that is not finite, a function, a class instance and the like.
 */
export function canonicalJson(where: string, value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((entry, i) => canonicalJson(`${where}[${i}]`, entry)).join(',')}]`;
  if (isPlainObject(value)) {
    const entries = Object.keys(value)
      .sort()
      .filter((key) => value[key] !== undefined)
      .map((key) => `${JSON.stringify(key)}:${canonicalJson(`${where}.${key}`, value[key])}`);
    return `{${entries.join(',')}}`;
  }
  throw new ExportError({ where, expected: 'a value that JSON can hold', got: describe(value) });
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

const describe = (value: unknown): string =>
  typeof value === 'object' ? `a ${value?.constructor?.name ?? 'object'}` : String(value);
