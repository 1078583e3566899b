/** What the colours of the planes mean, as a key under them. */
import { html, svg, type TemplateResult } from 'lit';
import { formatTick, linearTicks } from '../../../../studies/figures/ticks.ts';
import { type ColorMap, classMarks, colorOfClass, colorOfNumber, hexOf, type Palette } from './color-map.ts';
import type { ResponseKind } from './pairs.ts';
import { markPath } from './plane-frame.ts';
import { classNameOf } from './plane-views.ts';

const STEPS = 40;
const WIDTH = 300;

/** @param what What the colour says: `predicted y`. */
export function colorKey(palette: Palette, map: ColorMap, responses: ResponseKind, what: string): TemplateResult {
  if (map.kind !== 'diverging') return classKey(palette, responses);
  const { scale } = map;
  const x = (value: number) => 10 + ((value / scale + 1) / 2) * (WIDTH - 20);
  const step = (WIDTH - 20) / STEPS;
  const ticks = linearTicks([-scale, scale], 4);
  return html`
    <div class="key">
      <span>${what}</span>
      <svg viewBox="0 0 ${WIDTH} 34" role="img" aria-label="Colours from ${formatTick(-scale)} (blue) over 0 (the ground) to ${formatTick(scale)} (vermilion); lines every ${formatTick(ticks[1]! - ticks[0]!)}">
        ${Array.from({ length: STEPS }, (_, i) => {
          const color = hexOf(colorOfNumber(palette, (2 * (i + 0.5)) / STEPS - 1));
          return svg`<rect x=${10 + i * step} y="0" width=${step + 0.5} height="14" fill=${color}></rect>`;
        })}
        ${ticks.map((tick) => svg`<text x=${x(tick)} y="30" text-anchor="middle">${formatTick(tick)}</text>`)}
      </svg>
    </div>
  `;
}

function classKey(palette: Palette, responses: ResponseKind): TemplateResult {
  if (responses.kind !== 'classes') return html``;
  return html`
    <div class="key">
      ${responses.values.map(
        (_, k) => html`
          <span class="class-key">
            <svg viewBox="-9 -9 18 18" aria-hidden="true">
              <path class="mark" d=${markPath(classMarks[k]!, 6)} fill=${hexOf(colorOfClass(palette, k, 1.25))}></path>
            </svg>
            ${classNameOf(responses, k)}
          </span>
        `,
      )}
      <span class="muted">stronger where it is surer; the line is where two are equally likely</span>
    </div>
  `;
}
