/** The planes side by side, or the model's and the difference, with their key. Templates only. */
import { html, type TemplateResult } from 'lit';
import type { Palette } from './color-map.ts';
import type { PlaneAction, PlaneView } from './plane.ts';
import { colorKey } from './plane-key.ts';
import { type AnsweredPlane, differenceMapOf, fieldOf, mapOf, pointsOf } from './plane-views.ts';
import type { PlaygroundValues } from './playground-fields.ts';
import type { Situation } from './situation.ts';

export interface PlanesOptions {
  readonly situation: Situation;
  readonly answered: AnsweredPlane;
  readonly palette: Palette;
  readonly values: PlaygroundValues;
  readonly chosen: number | null;
  readonly modelTitle: string;
  onAction(action: PlaneAction): void;
}

export function planesOf(options: PlanesOptions): TemplateResult {
  const { situation, answered, palette, values, chosen, modelTitle, onAction } = options;
  const { half, probe, pairs, responses, comparison } = situation;
  // While the hand moves on, colours keep the scale of what they show.
  const map = mapOf(answered.situation);
  const points = pointsOf(situation, palette);
  const isDifference = values.view === 'difference';
  const view = (description: string, field: PlaneView['field']): PlaneView => ({
    description,
    half,
    palette,
    field,
    points,
    probe,
    chosen,
  });
  const besides = isDifference
    ? `${modelTitle} less ${answered.situation.comparison.title}`
    : answered.situation.comparison.title;
  const what = responses.kind === 'number' ? 'predicted y' : 'likeliest class';
  return html`
    <div class="planes">
      <figure>
        <figcaption>${modelTitle}</figcaption>
        <icl-plane
          .isInteractive=${true}
          .onAction=${onAction}
          .view=${view(
            `Predictions of the model from ${pairs.length} pairs. Tab reaches a pair and the probe; arrow keys move them.`,
            fieldOf(answered, 'model'),
          )}
        ></icl-plane>
      </figure>
      <figure>
        <figcaption>${besides}</figcaption>
        <icl-plane
          .view=${view(
            isDifference ? `Difference: ${besides}` : `Predictions: ${comparison.title}`,
            fieldOf(answered, isDifference ? 'difference' : 'comparison'),
          )}
        ></icl-plane>
      </figure>
    </div>
    ${colorKey(palette, map, responses, what)}
    ${isDifference && map.kind !== 'diverging' ? colorKey(palette, differenceMapOf(answered.situation), responses, 'difference of probabilities') : ''}
  `;
}
