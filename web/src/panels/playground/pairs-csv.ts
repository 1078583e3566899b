/** Pairs as text: three numbers a line, as they are pasted from elsewhere. */
import { DataError } from '../../../../models/errors.ts';
import { mostPairs, type Pair, type ResponseKind } from './pairs.ts';

/**
 * Reads `x1,x2,y` lines; commas, semicolons, tabs or spaces separate; a first line without numbers is a heading.
 * @throws {DataError} naming the line.
 */
export function parsePairs(text: string, responses: ResponseKind): readonly Pair[] {
  const lines = text
    .split(/\r?\n/)
    .map((line, i) => ({ cells: line.trim().split(/\s*[,;\t]\s*|\s+/), line: i + 1, isEmpty: line.trim() === '' }))
    .filter(({ isEmpty }) => !isEmpty);
  const isHeading = lines.length > 0 && lines[0]!.cells.every((cell) => !Number.isFinite(Number(cell)));
  const rows = isHeading ? lines.slice(1) : lines;
  if (rows.length === 0) throw refuse('the text', 'a line of three numbers or more, such as 0.5,-1.2,0.8', 'none');
  if (rows.length > mostPairs) throw refuse('the text', `at most ${mostPairs} pairs`, String(rows.length));
  return rows.map(({ cells, line }) => {
    const numbers = cells.map(Number);
    const isGood = numbers.length === 3 && cells.every((cell, i) => cell !== '' && Number.isFinite(numbers[i]));
    if (!isGood) throw refuse(`line ${line}`, 'three numbers, such as 0.5,-1.2,0.8', JSON.stringify(cells.join(',')));
    const [x1, x2, y] = numbers as [number, number, number];
    if (Math.max(Math.abs(x1), Math.abs(x2), Math.abs(y)) > 1000) {
      throw refuse(`line ${line}`, 'numbers from -1000 to 1000', cells.join(','));
    }
    if (responses.kind === 'classes' && !responses.values.includes(y)) {
      throw refuse(`line ${line}`, `y as one of the classes ${responses.values.join(', ')}`, cells[2]!);
    }
    return { x1, x2, y };
  });
}

const refuse = (where: string, expected: string, got: string) => new DataError({ where, expected, got });
