/** Training: a model is fitted in the page, its loss beside the theoretical minimum, its weights moving to theirs. */
import { html, type TemplateResult } from 'lit';
import { Panel } from '../../app/panel.ts';

class Training extends Panel {
  protected override render(): TemplateResult {
    return html`
      <section class="panel" aria-labelledby="training-title">
        <div class="intro"><h2 id="training-title">Training</h2></div>
      </section>
    `;
  }
}

customElements.define('icl-training', Training);
