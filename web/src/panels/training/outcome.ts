/** What becomes of a trained model: it joins the library, opens in other panels, or is taken away as files. */
import { html, nothing, type TemplateResult } from 'lit';
import type { Library, LibraryModel } from '../../app/library.ts';
import { usesOf } from '../../app/uses.ts';
import { button } from '../../components/controls.ts';
import { download } from '../../components/download.ts';
import type { FrozenTraining } from '../../worker/training/runs.ts';

/** A model that was kept, with what it was trained on. */
export interface KeptModel {
  readonly model: LibraryModel;
  readonly frozen: FrozenTraining;
}

const titleOf = ({ config, step }: FrozenTraining): string => {
  const { name, dimension } = config.model;
  return `Trained here: ${config.study}, ${name}, d = ${dimension}, ${step} steps`;
};

export function keepModel(library: Library, frozen: FrozenTraining): KeptModel {
  const { config, step } = frozen;
  const model = library.add({
    title: titleOf(frozen),
    about: `Trained in this page: ${step} steps of ${config.batch} prompts of ${config.contextLength} pairs, seed ${config.seed}.`,
    origin: 'trained',
    bytes: frozen.bytes,
  });
  return { model, frozen };
}

const linksOf = ({ model, frozen: { config } }: KeptModel): TemplateResult[] =>
  usesOf(model.id, { metadata: config, sizes: config.model }).map(
    ({ href, title, about }) => html`<a href=${href} title=${about}>${title}</a>`,
  );

export function saveModel({ bytes, config, step }: FrozenTraining): void {
  download(`${config.study}-${step}-steps.onnx`, bytes as BlobPart, 'application/octet-stream');
}

interface OutcomeOptions {
  readonly isPossible: boolean;
  readonly kept: readonly KeptModel[];
  onUse(): void;
  /** Takes the training as it is now. */
  onSave(save: (frozen: FrozenTraining) => void): void;
}

export function outcome({ isPossible, kept, onUse, onSave }: OutcomeOptions): TemplateResult {
  return html`
    <section class="outcome" aria-labelledby="outcome-title">
      <h3 id="outcome-title">The trained model</h3>
      <p class="muted">As it is now; training may go on afterwards.</p>
      <div class="buttons">
        ${button({ label: 'Use this model', isDisabled: !isPossible, onClick: onUse })}
        ${button({ label: 'model.onnx', isDisabled: !isPossible, onClick: () => onSave(saveModel) })}
        ${button({
          label: 'metrics.jsonl',
          isDisabled: !isPossible,
          onClick: () => onSave(({ metrics }) => download('metrics.jsonl', metrics, 'application/jsonl')),
        })}
        ${button({
          label: 'config.json',
          isDisabled: !isPossible,
          onClick: () => onSave(({ configText }) => download('config.json', configText, 'application/json')),
        })}
      </div>
      ${
        kept.length === 0
          ? nothing
          : html`<ul class="kept">
              ${kept.map((each) => html`<li>${each.model.title}. Open in ${linksOf(each).map((link, i) => html`${i > 0 ? ', ' : ''}${link}`)}.</li>`)}
            </ul>`
      }
    </section>
  `;
}
