/**
 * A figure with what belongs to it: a caption, how it was computed, and what can be taken away. Draws with the modules of
 * `studies/figures/` at the width that it has. Knows no panel.
 */
import { html, LitElement, nothing, type TemplateResult } from 'lit';
import type { FigureContext, SvgElement } from '../../../studies/figures/document.ts';
import { download, downloadPng, downloadSvg, formatCsv, type Table } from './download.ts';

/** How a figure came about. */
export interface Provenance {
  /** In words, with the source of its formulas: paper and equation. */
  readonly text: string;
  /** What computes the same on the command line; null where nothing does. */
  readonly command: string | null;
}

export interface Figure {
  /** Of its files. */
  readonly name: string;
  readonly caption: string | TemplateResult;
  readonly provenance: Provenance;
  draw(context: FigureContext): SvgElement;
  /** The numbers that were drawn. */
  table(): Table;
}

/** Wider, its text would look lost. */
const WIDEST = 900;

class FigureFrame extends LitElement {
  static override properties = { figure: { attribute: false }, width: { state: true }, problem: { state: true } };
  declare figure: Figure | undefined;
  declare width: number;
  declare problem: string | undefined;
  readonly #observer = new ResizeObserver(([entry]) => {
    this.width = Math.min(WIDEST, Math.floor(entry!.contentRect.width));
  });

  protected override createRenderRoot(): this {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#observer.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#observer.disconnect();
  }

  /** In a task of its own: several figures at once would keep the page from hearing a hand. Changes meanwhile are one. */
  protected override async scheduleUpdate(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve));
    super.scheduleUpdate();
  }

  protected override render(): TemplateResult | typeof nothing {
    const { figure } = this;
    if (figure === undefined || !(this.width > 0)) return nothing;
    const { caption, provenance } = figure;
    return html`
      <figure>
        ${this.#draw(figure)}
        <figcaption>${caption}</figcaption>
      </figure>
      ${figureTools(
        figure,
        () => this.#draw(figure),
        (problem) => {
          this.problem = problem;
        },
      )}
      ${provenanceLine(provenance)}
      ${this.problem === undefined ? nothing : html`<p class="notice" role="alert">${this.problem}</p>`}
    `;
  }

  #draw(figure: Figure): SvgElement {
    return figure.draw({ document: document as unknown as FigureContext['document'], width: this.width });
  }
}

/** Buttons that take a figure away. Also for figures that are drawn by other means than a frame. */
export function figureTools(
  { name, table }: Pick<Figure, 'name' | 'table'>,
  draw: () => SvgElement,
  onProblem: (problem: string) => void,
): TemplateResult {
  const png = () => downloadPng(name, draw()).catch((error: unknown) => onProblem((error as Error).message));
  return html`
    <div class="figure-tools" role="group" aria-label="Take the figure away">
      <button type="button" class="quiet" @click=${() => downloadSvg(name, draw())}>SVG</button>
      <button type="button" class="quiet" @click=${png}>PNG</button>
      <button type="button" class="quiet" @click=${() => download(`${name}.csv`, formatCsv(table()), 'text/csv')}>CSV</button>
    </div>
  `;
}

/** How a figure was computed, and the command that computes it elsewhere. */
export function provenanceLine({ text, command }: Provenance): TemplateResult {
  return html`
    <details class="provenance">
      <summary>How this was computed</summary>
      <p>${text}</p>
      ${command === null ? nothing : html`<pre tabindex="0"><code>${command}</code></pre>`}
    </details>
  `;
}

customElements.define('icl-figure-frame', FigureFrame);
