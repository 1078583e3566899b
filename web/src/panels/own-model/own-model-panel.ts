/** Your model: an ONNX file that the person chose, what it is, whether every provider here agrees on it, how robust it is. */
import { html, type TemplateResult } from 'lit';
import { Panel } from '../../app/panel.ts';

class OwnModel extends Panel {
  protected override render(): TemplateResult {
    return html`
      <section class="panel" aria-labelledby="own-model-title">
        <div class="intro"><h2 id="own-model-title">Your model</h2></div>
      </section>
    `;
  }
}

customElements.define('icl-own-model', OwnModel);
