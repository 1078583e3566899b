/** The picture that the page opens with, made at build time: it stands until the live model answers. */

/** Id of its element in `index.html`. */
export const storedFigureId = 'stored';

/** Takes the picture out of where the page has it; null if it is not there, or not any more. */
export function takeStoredFigure(): Element | null {
  const found = document.getElementById(storedFigureId)?.querySelector('figure') ?? null;
  found?.remove();
  return found;
}
