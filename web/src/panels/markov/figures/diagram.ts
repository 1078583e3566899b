/** The kernel as a diagram: states on a ring, arrows as wide as their probability. */
import type { FigureContext, SvgElement } from '../../../../../studies/figures/document.ts';
import { color } from '../../../../../studies/figures/theme.ts';
import { type Kernel, rowOf, statesOf } from '../kernel.ts';
import { stateLook } from '../palette.ts';
import { Drawing } from './shapes.ts';

export interface DiagramData {
  readonly kernel: Kernel;
  /** The state that the query ends in: where the next step leaves from. */
  readonly current: number | undefined;
}

const NODE = 21;
const LABEL_AT = 0.36;
/** Among many arrows; the numbers stand beside the diagram. */
const LEAST_LABELLED = 0.05;
const widthOf = (probability: number) => 0.8 + 6.2 * probability;
const label = (probability: number) => String(Math.round(1000 * probability) / 1000);

export function drawDiagram({ document, width }: FigureContext, { kernel, current }: DiagramData): SvgElement {
  const states = statesOf(kernel);
  const isPair = states === 2;
  const height = isPair ? 200 : 310;
  const drawing = new Drawing(document, width, height);
  const [cx, cy] = [width / 2, isPair ? 118 : height / 2 + (states === 3 ? 22 : 0)];
  const radius = isPair ? Math.min(width / 2 - 40, 104) : Math.min(width / 2 - 84, 92);
  const angleOf = (state: number) => (isPair ? Math.PI * (1 - state) : -Math.PI / 2 + (2 * Math.PI * state) / states);
  const nodes = Array.from({ length: states }, (_, state) => {
    const angle = angleOf(state);
    // Where its loop stands: away from the middle; of two, upwards, where there is more room.
    const loop = isPair ? -Math.PI / 2 : angle;
    return { x: cx + radius * Math.cos(angle), y: cy + radius * Math.sin(angle), loop };
  });

  for (let from = 0; from < states; from++) {
    for (const [to, probability] of rowOf(kernel, from).entries()) {
      if (probability === 0) continue;
      const isLabelled = isPair || probability >= LEAST_LABELLED;
      const isCurrent = from === current;
      const look = {
        stroke: isCurrent ? color.blue : color.muted,
        text: isCurrent ? color.blue : color.ink,
        isLabelled,
      };
      if (from === to) drawLoop(drawing, nodes[from]!, probability, look);
      else drawArrow(drawing, nodes[from]!, nodes[to]!, probability, look);
    }
  }
  for (const [state, { x, y }] of nodes.entries()) {
    const { fill, opacity } = stateLook(state);
    drawing.add('circle', { cx: x, cy: y, r: NODE, fill: color.paper });
    drawing.add('circle', { cx: x, cy: y, r: NODE, fill, 'fill-opacity': opacity });
    const ring =
      state === current ? { stroke: color.blue, 'stroke-width': 2.5 } : { stroke: color.muted, 'stroke-width': 1.2 };
    drawing.add('circle', { cx: x, cy: y, r: NODE, fill: 'none', ...ring });
    drawing.text(x, y + 5, String(state), { 'text-anchor': 'middle', 'font-size': 15, 'font-weight': 600 });
  }
  const words = nodes.map(
    (_, from) =>
      `from ${from}: ${rowOf(kernel, from)
        .map((p, to) => `${label(p)} to ${to}`)
        .join(', ')}`,
  );
  return drawing.finish(`States and their transitions, arrows as wide as their probability; ${words.join('; ')}.`);
}

interface Look {
  readonly stroke: string;
  readonly text: string;
  readonly isLabelled: boolean;
}

interface Place {
  readonly x: number;
  readonly y: number;
}

/** A filled head at (x, y), pointing along the unit vector. */
function drawHead(drawing: Drawing, { x, y }: Place, [ux, uy]: readonly [number, number], size: number, fill: string) {
  const [bx, by] = [x - size * 1.5 * ux, y - size * 1.5 * uy];
  drawing.add('path', {
    d: `M${x},${y}L${bx - size * 0.75 * uy},${by + size * 0.75 * ux}L${bx + size * 0.75 * uy},${by - size * 0.75 * ux}Z`,
    fill,
  });
}

/** A curve that leaves to its right, so that the way back has room. */
function drawArrow(drawing: Drawing, from: Place, to: Place, probability: number, look: Look): void {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const distance = Math.hypot(dx, dy);
  const [nx, ny] = [dy / distance, -dx / distance];
  const bend = 0.16 * distance + 8;
  const control = { x: (from.x + to.x) / 2 + nx * bend * 1.6, y: (from.y + to.y) / 2 + ny * bend * 1.6 };
  const towards = (a: Place, b: Place): readonly [number, number] => {
    const length = Math.hypot(b.x - a.x, b.y - a.y);
    return [(b.x - a.x) / length, (b.y - a.y) / length];
  };
  const width = widthOf(probability);
  const head = 6 + 0.8 * width;
  const leave = towards(from, control);
  const arrive = towards(control, to);
  const start = { x: from.x + leave[0] * NODE, y: from.y + leave[1] * NODE };
  const tip = { x: to.x - arrive[0] * (NODE + 2), y: to.y - arrive[1] * (NODE + 2) };
  const end = { x: tip.x - arrive[0] * head, y: tip.y - arrive[1] * head };
  drawing.add('path', {
    d: `M${start.x},${start.y}Q${control.x},${control.y} ${end.x},${end.y}`,
    fill: 'none',
    stroke: look.stroke,
    'stroke-width': width,
  });
  drawHead(drawing, tip, arrive, head, look.stroke);
  if (!look.isLabelled) return;
  // Nearer to where it leaves: in the middle of a ring labels of opposite ways would meet.
  const t = LABEL_AT;
  const onCurve = (a: number, b: number, c: number) => (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t ** 2 * c;
  const [mx, my] = [onCurve(start.x, control.x, end.x), onCurve(start.y, control.y, end.y)];
  const away = 13 + width / 2;
  drawing.text(mx + nx * away, my + ny * away + 4, label(probability), { 'text-anchor': 'middle', fill: look.text });
}

/** A loop on the side away from the middle. */
function drawLoop(drawing: Drawing, node: Place & { readonly loop: number }, probability: number, look: Look): void {
  const [ux, uy] = [Math.cos(node.loop), Math.sin(node.loop)];
  const width = widthOf(probability);
  const reach = 62;
  const spread = 0.55;
  const direction = (angle: number): readonly [number, number] => [Math.cos(angle), Math.sin(angle)];
  const [out, back] = [direction(node.loop - spread), direction(node.loop + spread)];
  const head = 6 + 0.8 * width;
  const start = { x: node.x + out[0] * NODE, y: node.y + out[1] * NODE };
  const tip = { x: node.x + back[0] * (NODE + 2), y: node.y + back[1] * (NODE + 2) };
  const end = { x: tip.x + back[0] * head, y: tip.y + back[1] * head };
  const wide = [direction(node.loop - 1.05 * spread), direction(node.loop + 1.05 * spread)] as const;
  const controls = wide.map(([x, y]) => ({ x: node.x + x * reach, y: node.y + y * reach }));
  drawing.add('path', {
    d: `M${start.x},${start.y}C${controls[0]!.x},${controls[0]!.y} ${controls[1]!.x},${controls[1]!.y} ${end.x},${end.y}`,
    fill: 'none',
    stroke: look.stroke,
    'stroke-width': width,
  });
  drawHead(drawing, tip, [-back[0], -back[1]], head, look.stroke);
  if (!look.isLabelled) return;
  const away = reach - 1 + width / 2;
  const anchor = Math.abs(ux) < 0.3 ? 'middle' : ux > 0 ? 'start' : 'end';
  drawing.text(node.x + ux * away, node.y + uy * away + 4, label(probability), {
    'text-anchor': anchor,
    fill: look.text,
  });
}
