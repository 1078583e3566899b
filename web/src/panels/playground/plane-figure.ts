/**
 * The planes as one SVG that stands for itself: what is taken away, and the picture that the page opens with. Fields are images;
 * whoever draws makes them. Knows no DOM but the one it is given.
 */
import { createSvg, type FigureContext, type SvgElement } from '../../../../studies/figures/document.ts';
import { color } from '../../../../studies/figures/theme.ts';
import { formatTick, linearTicks } from '../../../../studies/figures/ticks.ts';
import { type ColorMap, classMarks, colorOfNumber, hexOf, type Palette } from './color-map.ts';
import type { PlaneField, PlanePoint } from './plane.ts';
import { crossPath, frame, markPath, ticksOf, toX, toY } from './plane-frame.ts';

export interface FigurePlane {
  readonly title: string;
  readonly field: PlaneField;
}

/** Colours of one scheme, with the class of what is drawn in them; one layer without a class stands for itself. */
export interface FigureLayer {
  readonly className: string;
  readonly palette: Palette;
  readonly points: readonly PlanePoint[];
  /** The address of each plane's image. */
  readonly images: readonly string[];
}

export interface PlaneFigure {
  readonly planes: readonly FigurePlane[];
  readonly layers: readonly FigureLayer[];
  readonly half: number;
  readonly probe: readonly [number, number];
  /** Of the key: what the colour says. */
  readonly what: string;
  readonly map: ColorMap;
  readonly description: string;
  /** Without titles and key, where the page has them. */
  readonly isBare?: boolean;
}

const TITLE = 24;
const GAP = 16;
const KEY = 44;
const fontFamily = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";

export function drawPlanes({ document }: Pick<FigureContext, 'document'>, figure: PlaneFigure): SvgElement {
  const { planes, layers, description, isBare = false } = figure;
  const above = isBare ? 0 : TITLE;
  const width = planes.length * frame.side + (planes.length - 1) * GAP;
  const height = above + frame.side + (isBare ? 0 : KEY);
  const svg = createSvg(document, 'svg', {
    class: 'icl-figure',
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: 'img',
    'aria-label': description,
    'font-family': fontFamily,
    'font-size': 12,
  });
  planes.forEach((plane, i) => {
    const group = append(svg, createSvg(document, 'g', { transform: `translate(${i * (frame.side + GAP)} ${above})` }));
    if (!isBare) append(group, title(document, plane.title));
    for (const { className, images } of layers) append(group, image(document, className, images[i]!));
    append(group, contours(document, plane.field));
    axes(document, group, figure.half);
    for (const layer of layers) append(group, points(document, layer, figure.half));
    append(group, probeMark(document, figure));
  });
  if (isBare) return svg;
  for (const layer of layers) append(svg, key(document, layer, figure, height - KEY + 14));
  return svg;
}

type Document = FigureContext['document'];

function append(parent: SvgElement, child: SvgElement): SvgElement {
  parent.appendChild(child);
  return child;
}

const classed = (className: string) => (className === '' ? {} : { class: className });

const title = (document: Document, text: string): SvgElement =>
  createSvg(document, 'text', { x: frame.left, y: -6, fill: color.ink, 'font-weight': 600, 'font-size': 14 }, text);

function image(document: Document, className: string, href: string): SvgElement {
  const { left, top, inner } = frame;
  const place = { x: left, y: top, width: inner, height: inner, preserveAspectRatio: 'none' };
  return createSvg(document, 'image', { ...classed(className), ...place, href });
}

function contours(document: Document, { contours: lines, size }: PlaneField): SvgElement {
  const unit = frame.inner / size;
  const transform = `translate(${frame.left} ${frame.top}) scale(${unit})`;
  const group = createSvg(document, 'g', { transform, fill: 'none', stroke: color.ink });
  for (const { path, isStrong } of lines) {
    if (path === '') continue;
    const look = { 'stroke-width': (isStrong ? 1.75 : 1) / unit, 'stroke-opacity': isStrong ? 0.85 : 0.28 };
    append(group, createSvg(document, 'path', { d: path, ...look }));
  }
  return group;
}

function axes(document: Document, group: SvgElement, half: number): void {
  const { left, top, inner } = frame;
  const bottom = top + inner;
  append(
    group,
    createSvg(document, 'rect', { x: left, y: top, width: inner, height: inner, fill: 'none', stroke: color.grid }),
  );
  const text = (x: number, y: number, anchor: string, words: string) =>
    append(group, createSvg(document, 'text', { x, y, 'text-anchor': anchor, fill: color.muted }, words));
  for (const tick of ticksOf(half)) {
    const [x, y] = [toX(tick, half), toY(tick, half)];
    append(group, createSvg(document, 'path', { d: `M${x} ${bottom}v4M${left} ${y}h-4`, stroke: color.muted }));
    text(x, bottom + 17, 'middle', formatTick(tick));
    text(left - 7, y + 4, 'end', formatTick(tick));
  }
  text(left + inner / 2, bottom + 32, 'middle', 'x₁');
  text(9, top + inner / 2 + 4, 'middle', 'x₂');
}

function points(document: Document, { className, points: all }: FigureLayer, half: number): SvgElement {
  const group = createSvg(document, 'g', { ...classed(className), stroke: color.ink, 'stroke-width': 1.3 });
  for (const { place, color: fill, classIndex } of all) {
    if (Math.max(Math.abs(place[0]), Math.abs(place[1])) > half) continue;
    const transform = `translate(${toX(place[0], half).toFixed(1)} ${toY(place[1], half).toFixed(1)})`;
    const d = markPath(classIndex === undefined ? 'circle' : classMarks[classIndex]!, 5.5);
    append(group, createSvg(document, 'path', { d, transform, fill: hexOf(fill) }));
  }
  return group;
}

function probeMark(document: Document, { probe, half }: PlaneFigure): SvgElement {
  const group = createSvg(document, 'g', { transform: `translate(${toX(probe[0], half)} ${toY(probe[1], half)})` });
  const d = crossPath(13, 3);
  append(group, createSvg(document, 'path', { d, stroke: color.paper, 'stroke-width': 5 }));
  append(group, createSvg(document, 'path', { d, stroke: color.ink, 'stroke-width': 2 }));
  return group;
}

const STEPS = 40;

function key(
  document: Document,
  { className, palette }: FigureLayer,
  { map, what }: PlaneFigure,
  y: number,
): SvgElement {
  const group = createSvg(document, 'g', { ...classed(className), transform: `translate(${frame.left} ${y})` });
  const left = 96;
  const width = frame.inner - left;
  append(group, createSvg(document, 'text', { x: 0, y: 11, fill: color.muted }, what));
  if (map.kind !== 'diverging') return group;
  const step = width / STEPS;
  for (let i = 0; i < STEPS; i++) {
    const fill = hexOf(colorOfNumber(palette, (2 * (i + 0.5)) / STEPS - 1));
    append(group, createSvg(document, 'rect', { x: left + i * step, y: 0, width: step + 0.5, height: 14, fill }));
  }
  for (const tick of linearTicks([-map.scale, map.scale], 4)) {
    const x = left + ((tick / map.scale + 1) / 2) * width;
    append(
      group,
      createSvg(document, 'text', { x, y: 28, 'text-anchor': 'middle', fill: color.muted }, formatTick(tick)),
    );
  }
  return group;
}
