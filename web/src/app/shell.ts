/** The page around the panels: its head, the way from one panel to another, the theme. Knows panels only by `panels.ts`. */
import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { Lab } from './lab.ts';
import { Link } from './link.ts';
import { Offline } from './offline.ts';
import type { Panel } from './panel.ts';
import { type PanelEntry, panels } from './panels.ts';
import './provider-view.ts';
import { themeButton } from './theme.ts';
import { pageTitle, tagline } from './words.ts';

class Shell extends LitElement {
  readonly #lab = new Lab(new Link(panels.map(({ name }) => name)));
  /** Panels that were shown; a hidden one keeps what it does. */
  readonly #shown = new Map<string, Panel>();
  readonly #offline = new Offline();
  #failure: string | undefined;

  protected override createRenderRoot(): this {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    for (const target of [this.#lab.link, this.#offline]) target.addEventListener('change', () => this.requestUpdate());
  }

  protected override firstUpdated(): void {
    // What stood there before any script ran.
    document.getElementById('stored-head')?.remove();
    this.#offline.start(this.querySelector('main')!);
  }

  protected override render(): TemplateResult {
    const { link } = this.#lab;
    const notice = link.problem ?? this.#failure;
    return html`
      <a class="skip" href="#main" @click=${this.#skip}>Skip to the panel</a>
      <header class="head">
        <h1><a href="#playground">${pageTitle}</a></h1>
        <p class="tagline">${tagline}</p>
        <nav aria-label="Panels">
          ${panels.map(
            ({ name, title }) =>
              html`<a href=${link.hrefOf(name)} aria-current=${name === link.panel ? 'page' : nothing}>${title}</a>`,
          )}
        </nav>
        <div class="head-tools">${themeButton(() => this.requestUpdate())}</div>
        <icl-provider .choice=${this.#lab.providerChoice}></icl-provider>
      </header>
      ${notice === undefined ? nothing : html`<p class="notice" role="alert">${notice}</p>`}
      <main id="main" tabindex="-1"></main>
      <footer class="foot">${this.#offline.words}</footer>
    `;
  }

  protected override updated(): void {
    const entry = panels.find(({ name }) => name === this.#lab.link.panel)!;
    document.title = `${entry.title} · ${pageTitle}`;
    this.#show(entry).catch((error: unknown) => {
      this.#failure = `The panel could not be loaded: ${(error as Error).message}`;
      this.requestUpdate();
    });
  }

  async #show(entry: PanelEntry): Promise<void> {
    if (!this.#shown.has(entry.name)) {
      await entry.load();
      if (!this.#shown.has(entry.name)) {
        const panel = document.createElement(entry.tag) as Panel;
        panel.lab = this.#lab;
        this.#shown.set(entry.name, panel);
        this.querySelector('main')!.append(panel);
        document.getElementById('stored')?.remove();
      }
    }
    for (const [name, panel] of this.#shown) panel.hidden = name !== this.#lab.link.panel;
  }

  #skip(event: Event): void {
    event.preventDefault();
    this.querySelector('main')!.focus();
  }
}

customElements.define('icl-lab', Shell);
