/** Robustness: the risk of frozen models over prompt length and distribution shift, measured here and growing while it is. */
import { html, type TemplateResult } from 'lit';
import { Panel } from '../../app/panel.ts';

class Robustness extends Panel {
  protected override render(): TemplateResult {
    return html`
      <section class="panel" aria-labelledby="robustness-title">
        <div class="intro"><h2 id="robustness-title">Robustness</h2></div>
      </section>
    `;
  }
}

customElements.define('icl-robustness', Robustness);
