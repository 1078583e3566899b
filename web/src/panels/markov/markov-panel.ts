/** A Markov chain under one's hand: its transition probabilities, the chains in the context, the next state that a frozen model predicts. */
import { html, type TemplateResult } from 'lit';
import { Panel } from '../../app/panel.ts';

class Markov extends Panel {
  protected override render(): TemplateResult {
    return html`
      <section class="panel" aria-labelledby="markov-title">
        <div class="intro"><h2 id="markov-title">Markov chains</h2></div>
      </section>
    `;
  }
}

customElements.define('icl-markov', Markov);
