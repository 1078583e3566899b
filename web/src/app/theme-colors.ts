/** The theme's colours for who paints on a canvas, which does not follow CSS variables by itself. */

/** Calls `changed` whenever the page turns light or dark. Returns what ends it. */
export function watchTheme(changed: () => void): () => void {
  const scheme = matchMedia('(prefers-color-scheme: dark)');
  const observer = new MutationObserver(changed);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
  scheme.addEventListener('change', changed);
  return () => {
    observer.disconnect();
    scheme.removeEventListener('change', changed);
  };
}

let canvas: CanvasRenderingContext2D | null = null;

/** The value of a CSS variable of the page as `#rrggbb`, however the style sheet writes it. */
export function pageColor(variable: string): string {
  canvas ??= document.createElement('canvas').getContext('2d')!;
  canvas.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
  return canvas.fillStyle;
}
