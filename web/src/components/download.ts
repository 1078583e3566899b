/** Files that the person takes away: made here, saved by the browser, sent nowhere. */
import type { SvgElement } from '../../../studies/figures/document.ts';
import { standaloneSvg } from '../../../studies/figures/standalone.ts';

export function download(name: string, content: BlobPart, type: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser reads the address after the click.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export function downloadSvg(name: string, figure: SvgElement): void {
  download(`${name}.svg`, standaloneSvg(figure), 'image/svg+xml');
}

/** At twice the figure's size, for screens and slides. */
export async function downloadPng(name: string, figure: SvgElement): Promise<void> {
  const [width, height] = ['width', 'height'].map((each) => 2 * Number(figure.getAttribute(each)));
  const url = URL.createObjectURL(new Blob([standaloneSvg(figure)], { type: 'image/svg+xml' }));
  try {
    const image = new Image(width, height);
    image.src = url;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = width!;
    canvas.height = height!;
    canvas.getContext('2d')!.drawImage(image, 0, 0, width!, height!);
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
    if (blob === null) throw new Error('the browser made no picture of the figure');
    download(`${name}.png`, blob, 'image/png');
  } finally {
    URL.revokeObjectURL(url);
  }
}

export type Cell = string | number | null;

/** A table as it stands in a CSV file. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** RFC 4180; a missing value is empty. */
export function formatCsv({ columns, rows }: Table): string {
  const quote = (cell: Cell) => {
    const text = cell === null ? '' : String(cell);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...rows].map((row) => `${row.map(quote).join(',')}\r\n`).join('');
}
