/**
 * The square plane: a field of predictions as colours, lines of equal value, and over it the pairs and the probe, which mouse,
 * finger and keyboard move. Knows no model and no task; says what a hand did, and shows what it is given.
 */
import { html, LitElement, nothing, svg, type TemplateResult } from 'lit';
import { formatTick } from '../../../../studies/figures/ticks.ts';
import { type ColorMap, classMarks, hexOf, type Palette, paint, type Rgb } from './color-map.ts';
import type { Place } from './geometry.ts';
import { crossPath, frame, markPath, ticksOf, toPlace, toX, toY } from './plane-frame.ts';

export interface PlanePoint {
  readonly place: Place;
  readonly color: Rgb;
  /** Of a class: which; absent for numbers. */
  readonly classIndex?: number;
  /** `pair 3: x = (0.5, −1.2), y = 0.8` */
  readonly name: string;
  /** The response, shown beside the pair that is chosen. */
  readonly label: string;
}

export interface Contour {
  /** In units of cells. */
  readonly path: string;
  readonly isStrong: boolean;
}

export interface PlaneField {
  readonly values: Float32Array;
  readonly size: number;
  readonly map: ColorMap;
  readonly contours: readonly Contour[];
  /** What the grid spans; another than the plane's while an answer is on its way. */
  readonly half: number;
}

export interface PlaneView {
  /** Says in words what is seen. */
  readonly description: string;
  readonly half: number;
  readonly palette: Palette;
  readonly field: PlaneField | null;
  readonly points: readonly PlanePoint[];
  readonly probe: Place;
  /** Number of the pair that is chosen. */
  readonly chosen: number | null;
}

/** What a hand did. `isFirst`: the first of a movement. */
export type PlaneAction =
  | { readonly kind: 'add'; readonly place: Place }
  | { readonly kind: 'move'; readonly index: number; readonly place: Place; readonly isFirst: boolean }
  | { readonly kind: 'probe'; readonly place: Place; readonly isFirst: boolean }
  | { readonly kind: 'choose'; readonly index: number }
  | { readonly kind: 'remove'; readonly index: number }
  /** A step of the response, up or down; of a class to the next or the one before. */
  | { readonly kind: 'respond'; readonly index: number; readonly step: 1 | -1; readonly isFine: boolean };

/** What a pointer holds: a pair by its number, or the probe. */
interface Held {
  readonly pointer: number;
  readonly what: number | 'probe';
  /** From the pointer to the middle of what it holds. */
  readonly offset: Place;
  hasMoved: boolean;
}

/** Pixels within which a press is a click. */
const STILL = 6;
/** Of the plane's half-width: one press of an arrow key. */
const KEY_STEP = 1 / 30;
const FINE = 1 / 6;

const round = (value: number): number => Number(value.toFixed(3));

class Plane extends LitElement {
  static override properties = { view: { attribute: false }, isInteractive: { attribute: false } };
  declare view: PlaneView | undefined;
  /** Whether pairs and probe can be moved. */
  declare isInteractive: boolean;
  declare onAction: (action: PlaneAction) => void;
  #held: Held | undefined;
  #pressed: { readonly pointer: number; readonly x: number; readonly y: number } | undefined;
  #pending: Place | undefined;
  #painted: { field: PlaneField | null; palette: Palette } | undefined;

  constructor() {
    super();
    this.isInteractive = false;
    this.onAction = () => {};
  }

  protected override createRenderRoot(): this {
    return this;
  }

  protected override firstUpdated(): void {
    // A finger on a pair drags the pair, not the page; elsewhere it may scroll.
    this.querySelector('svg')?.addEventListener(
      'touchstart',
      (event) => {
        if ((event.target as Element).closest('[data-what]') !== null) event.preventDefault();
      },
      { passive: false },
    );
  }

  /** The pair or probe with the keyboard's focus. */
  focusOn(what: number | 'probe'): void {
    this.querySelector<SVGGElement>(`[data-what="${what}"]`)?.focus();
  }

  protected override render(): TemplateResult | typeof nothing {
    const { view } = this;
    if (view === undefined) return nothing;
    const { side, left, top, inner } = frame;
    return html`
      <div class="plane">
        <canvas aria-hidden="true"></canvas>
        <svg
          viewBox="0 0 ${side} ${side}"
          role=${this.isInteractive ? 'application' : 'img'}
          aria-label=${view.description}
          @pointerdown=${this.#down}
          @pointermove=${this.#move}
          @pointerup=${this.#up}
          @pointercancel=${this.#cancel}
          @keydown=${this.#key}
        >
          <rect class="plane-edge" x=${left} y=${top} width=${inner} height=${inner}></rect>
          ${this.#contours(view)} ${this.#axes(view)}
          ${view.points.map((point, index) => this.#point(view, point, index))} ${this.#probe(view)}
        </svg>
      </div>
    `;
  }

  #contours({ field, half }: PlaneView) {
    if (field === null || field.half !== half) return nothing;
    const unit = frame.inner / field.size;
    return svg`<g class="contours" transform="translate(${frame.left} ${frame.top}) scale(${unit})">
      ${field.contours.map(({ path, isStrong }) => svg`<path class=${isStrong ? 'strong' : ''} d=${path}></path>`)}
    </g>`;
  }

  #axes({ half }: PlaneView) {
    const { left, top, inner } = frame;
    const bottom = top + inner;
    return svg`<g class="axes" aria-hidden="true">
      ${ticksOf(half).map(
        (tick) => svg`
          <path d="M${toX(tick, half)} ${bottom}v4M${left} ${toY(tick, half)}h-4"></path>
          <text x=${toX(tick, half)} y=${bottom + 17} text-anchor="middle">${formatTick(tick)}</text>
          <text x=${left - 7} y=${toY(tick, half) + 4} text-anchor="end">${formatTick(tick)}</text>`,
      )}
      <text class="axis-name" x=${left + inner / 2} y=${bottom + 32} text-anchor="middle">x₁</text>
      <text class="axis-name" x=${9} y=${top + inner / 2 + 4} text-anchor="middle">x₂</text>
    </g>`;
  }

  #point({ half, chosen }: PlaneView, { place, color, classIndex, name, label }: PlanePoint, index: number) {
    const [x, y] = [toX(place[0], half), toY(place[1], half)];
    if (Math.max(Math.abs(place[0]), Math.abs(place[1])) > half) return nothing;
    const isChosen = chosen === index;
    const path = markPath(classIndex === undefined ? 'circle' : classMarks[classIndex]!, 5.5);
    const mark = svg`<path class="mark" d=${path} fill=${hexOf(color)}></path>`;
    if (!this.isInteractive)
      return svg`<g class="point" transform="translate(${x} ${y})" aria-hidden="true">${mark}</g>`;
    return svg`<g
      class=${isChosen ? 'point chosen' : 'point'}
      transform="translate(${x} ${y})"
      data-what=${index}
      role="button"
      tabindex=${isChosen || (chosen === null && index === 0) ? 0 : -1}
      aria-label=${name}
      aria-pressed=${isChosen ? 'true' : 'false'}
    ><circle class="reach" r="15"></circle><circle class="ring" r="10"></circle>${mark}${isChosen ? svg`<text class="response" x=${x > frame.left + 0.8 * frame.inner ? -12 : 12} y="-10" text-anchor=${x > frame.left + 0.8 * frame.inner ? 'end' : 'start'}>${label}</text>` : nothing}</g>`;
  }

  #probe({ half, probe }: PlaneView) {
    const [x, y] = [toX(probe[0], half), toY(probe[1], half)];
    if (Math.max(Math.abs(probe[0]), Math.abs(probe[1])) > half) return nothing;
    const cross = svg`<path class="cross-halo" d=${crossPath(13, 3)}></path><path class="cross" d=${crossPath(13, 3)}></path>`;
    if (!this.isInteractive)
      return svg`<g class="probe" transform="translate(${x} ${y})" aria-hidden="true">${cross}</g>`;
    const name = `probe: x = (${formatTick(round(probe[0]))}, ${formatTick(round(probe[1]))})`;
    return svg`<g class="probe" transform="translate(${x} ${y})" data-what="probe" role="button" tabindex="0" aria-label=${name}>
      <circle class="reach" r="16"></circle><circle class="ring" r="16"></circle>${cross}
    </g>`;
  }

  protected override updated(): void {
    const { view } = this;
    if (view === undefined) return;
    const { field, palette, half } = view;
    const canvas = this.querySelector('canvas')!;
    // A field of another extent would be in the wrong place.
    canvas.hidden = field === null || field.half !== half;
    if (field === null || (this.#painted?.field === field && this.#painted.palette === palette)) return;
    this.#painted = { field, palette };
    const { size, values, map } = field;
    canvas.width = size;
    canvas.height = size;
    const pixels = paint(palette, map, values, size) as Uint8ClampedArray<ArrayBuffer>;
    canvas.getContext('2d')!.putImageData(new ImageData(pixels, size, size), 0, 0);
  }

  /** Where a pointer is, in the plane. */
  #placeOf(event: PointerEvent): Place {
    const box = this.querySelector('svg')!.getBoundingClientRect();
    const unit = frame.side / box.width;
    return toPlace((event.clientX - box.left) * unit, (event.clientY - box.top) * unit, this.view!.half);
  }

  /** Within the plane, to three decimals: what a link keeps. */
  #within([x1, x2]: Place): Place {
    const { half } = this.view!;
    const keep = (value: number) => round(Math.max(-half, Math.min(half, value)));
    return [keep(x1), keep(x2)];
  }

  #down = (event: PointerEvent): void => {
    if (!this.isInteractive || event.button !== 0 || this.#held !== undefined) return;
    const element = (event.target as Element).closest<SVGGElement>('[data-what]');
    if (element === null) {
      this.#pressed = { pointer: event.pointerId, x: event.clientX, y: event.clientY };
      return;
    }
    const name = element.dataset['what']!;
    const what = name === 'probe' ? name : Number(name);
    const middle = what === 'probe' ? this.view!.probe : this.view!.points[what]!.place;
    const at = this.#placeOf(event);
    this.#held = { pointer: event.pointerId, what, offset: [middle[0] - at[0], middle[1] - at[1]], hasMoved: false };
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    event.preventDefault();
    if (what !== 'probe') this.onAction({ kind: 'choose', index: what });
    element.focus({ preventScroll: true });
  };

  #move = (event: PointerEvent): void => {
    const held = this.#held;
    if (held?.pointer !== event.pointerId) return;
    const [x1, x2] = this.#placeOf(event);
    const isScheduled = this.#pending !== undefined;
    this.#pending = this.#within([x1 + held.offset[0], x2 + held.offset[1]]);
    // Once a frame is enough.
    if (!isScheduled) requestAnimationFrame(() => this.#drag());
  };

  #drag(): void {
    const [held, place] = [this.#held, this.#pending];
    this.#pending = undefined;
    if (held === undefined || place === undefined) return;
    const isFirst = !held.hasMoved;
    held.hasMoved = true;
    if (held.what === 'probe') this.onAction({ kind: 'probe', place, isFirst });
    else this.onAction({ kind: 'move', index: held.what, place, isFirst });
  }

  #up = (event: PointerEvent): void => {
    if (this.#held?.pointer === event.pointerId) {
      this.#drag();
      this.#held = undefined;
    }
    const pressed = this.#pressed;
    this.#pressed = undefined;
    if (pressed?.pointer !== event.pointerId) return;
    if (Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) > STILL) return;
    const place = this.#placeOf(event);
    if (Math.max(...place.map(Math.abs)) <= this.view!.half) this.onAction({ kind: 'add', place: this.#within(place) });
  };

  #cancel = (): void => {
    this.#held = undefined;
    this.#pressed = undefined;
    this.#pending = undefined;
  };

  #key = (event: KeyboardEvent): void => {
    const element = (event.target as Element).closest<SVGGElement>('[data-what]');
    const { view } = this;
    if (element === null || view === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    const name = element.dataset['what']!;
    const action = name === 'probe' ? this.#probeKey(event, view) : this.#pointKey(event, view, Number(name));
    if (action === undefined) return;
    event.preventDefault();
    this.onAction(action);
  };

  #probeKey(event: KeyboardEvent, view: PlaneView): PlaneAction | undefined {
    if (event.key === 'Enter' || event.key === 'Insert') return { kind: 'add', place: this.#within(view.probe) };
    const place = this.#arrow(event, view.probe);
    return place === undefined ? undefined : { kind: 'probe', place, isFirst: !event.repeat };
  }

  #pointKey(event: KeyboardEvent, view: PlaneView, index: number): PlaneAction | undefined {
    const place = this.#arrow(event, view.points[index]!.place);
    if (place !== undefined) return { kind: 'move', index, place, isFirst: !event.repeat };
    const other = (step: number): PlaneAction => {
      const count = view.points.length;
      return { kind: 'choose', index: (index + step + count) % count };
    };
    switch (event.key) {
      case 'Delete':
      case 'Backspace':
        return { kind: 'remove', index };
      case '+':
      case '=':
        return { kind: 'respond', index, step: 1, isFine: event.shiftKey && event.key === '=' };
      case '-':
      case '_':
        return { kind: 'respond', index, step: -1, isFine: event.key === '_' };
      case 'PageDown':
        return other(1);
      case 'PageUp':
        return other(-1);
      default:
        return undefined;
    }
  }

  #arrow({ key, shiftKey }: KeyboardEvent, [x1, x2]: Place): Place | undefined {
    const step = this.view!.half * KEY_STEP * (shiftKey ? FINE : 1);
    switch (key) {
      case 'ArrowLeft':
        return this.#within([x1 - step, x2]);
      case 'ArrowRight':
        return this.#within([x1 + step, x2]);
      case 'ArrowUp':
        return this.#within([x1, x2 + step]);
      case 'ArrowDown':
        return this.#within([x1, x2 - step]);
      default:
        return undefined;
    }
  }
}

customElements.define('icl-plane', Plane);

declare global {
  interface HTMLElementTagNameMap {
    'icl-plane': Plane;
  }
}
