import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { drawCovariateScale } from '../../studies/figures/covariate-scale.ts';
import type { FigureContext, SvgElement } from '../../studies/figures/document.ts';
import { formatTick, linearTicks, logTicks, spread } from '../../studies/figures/frame.ts';
import { geometricGrid } from '../../studies/figures/grids.ts';
import { drawHeatMaps, indexTicks } from '../../studies/figures/heat-map.ts';
import { drawLength } from '../../studies/figures/length.ts';
import { drawLoss } from '../../studies/figures/loss.ts';
import { renderFigure } from '../../studies/figures/render.ts';
import { drawShifts } from '../../studies/figures/shifts.ts';
import { drawWeights } from '../../studies/figures/weights.ts';

const curve = (f: (x: number) => number) => geometricGrid(1, 100, 30).map((x) => ({ x, y: f(x) }));
const points = (f: (x: number) => number) => [2, 5, 20, 80].map((x) => ({ x, y: f(x), standardError: 0.01 * f(x) }));

/** How many marks must be there: error bars, points, lines. */
const figures: readonly [string, (context: FigureContext) => SvgElement, { dots: number; lines: number }][] = [
  [
    'loss',
    (context) =>
      drawLoss(context, {
        zeroLoss: 2,
        series: [
          { label: 'N = 10', measured: points((x) => 1 + 1 / x), flow: curve((x) => 1 + 1 / x), minimum: 1 },
          { label: 'N = 20', measured: points((x) => 0.5 + 1 / x), flow: [], minimum: 0.5 },
        ],
      }),
    { dots: 8, lines: 1 },
  ],
  [
    'weights',
    (context) =>
      drawWeights(context, {
        learnedName: 'A',
        theoryName: 'B',
        rows: [
          {
            label: 'x',
            learned: [
              [1, 0.1],
              [-0.1, 2],
            ],
            theory: [
              [1, 0],
              [0, 2],
            ],
            relativeDifference: 0.05,
          },
        ],
      }),
    { dots: 0, lines: 0 },
  ],
  [
    'length',
    (context) =>
      drawLength(context, {
        zeroRisk: 5,
        leastSquares: [
          { x: 2, y: 3, standardError: 0.1 },
          { x: 20, y: 1e-14, standardError: 1e-15 },
        ],
        series: [{ label: 'N = 10', theory: curve((x) => 1 / x), measured: points((x) => 1 / x), floor: 0.005 }],
      }),
    { dots: 6, lines: 1 },
  ],
  [
    'covariate-scale',
    (context) =>
      drawCovariateScale(context, {
        label: 'N = 10',
        theory: curve((x) => x),
        measured: points((x) => x),
        limitLabel: 'limit',
        limit: curve((x) => (1 - x * x) ** 2),
        leastSquares: points(() => 0),
      }),
    { dots: 8, lines: 2 },
  ],
  [
    'shifts',
    (context) =>
      drawShifts(
        context,
        ['one', 'two', 'three'].map((title) => ({
          title,
          levelLabel: 'level',
          theory: curve((x) => x),
          measured: points((x) => x),
          zero: curve((x) => 2 * x),
        })),
      ),
    { dots: 12, lines: 6 },
  ],
];

describe('heat maps', () => {
  const matrix = (size: number, entry: (i: number, j: number) => number) =>
    Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => entry(i, j)));

  it.each([
    [8, [1, 2, 3, 4, 5, 6, 7, 8]],
    [20, [1, 5, 10, 15, 20]],
    [100, [1, 20, 40, 60, 80, 100]],
  ])('%d indices have ticks %j', (size, ticks) => {
    expect(indexTicks(size)).toEqual(ticks);
  });

  it('leaves out what is too faint to be seen, and says what a shared scale is', () => {
    const maps = [5, 20].map((size) => ({
      title: `K = ${size}`,
      subtitle: 'start',
      matrix: matrix(size, (i, j) => (i === j ? 1 : 1e-5)),
    }));
    const { wide } = renderFigure((context) =>
      drawHeatMaps(context, {
        maps,
        scale: 'sequential',
        isShared: true,
        valueName: 'attention',
        rowName: 'key',
        columnName: 'query',
        columns: 2,
        narrowColumns: 1,
        description: 'two matrices on one scale',
      }),
    );
    expect(wide).toMatch(/>attention\s+0</);
    expect(wide).toContain('rows: key, columns: query');
    const { document } = parseHTML(`<body>${wide}</body>`);
    const filled = [...document.querySelectorAll('rect[fill-opacity="0.95"], rect[fill-opacity="0.55"]')];
    // The diagonals of both maps and the strongest swatch of the legend.
    expect(filled).toHaveLength(5 + 20 + 1);
  });
});

describe.each(figures)('figure %s', (_name, draw, { dots, lines }) => {
  const { wide, narrow, standalone } = renderFigure(draw);

  it.each([
    ['wide', wide, 720],
    ['narrow', narrow, 360],
  ])('%s has its width, its marks and a text', (_size, svg, width) => {
    const { document } = parseHTML(`<body>${svg}</body>`);
    const root = document.querySelector('svg')!;
    expect(root.getAttribute('width')).toBe(String(width));
    expect(root.getAttribute('role')).toBe('img');
    expect(root.getAttribute('aria-label')!.length).toBeGreaterThan(30);
    expect([...document.querySelectorAll('g[aria-label], style')]).toHaveLength(0);
    const texts = [...document.querySelectorAll('text')].map((text) => text.textContent);
    expect(texts.length).toBeGreaterThan(5);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    // Points are drawn by path, in groups whose fill is the paper's or the series' colour.
    const paths = [...document.querySelectorAll('g[stroke] > path, g[fill] > path')];
    expect(paths.length).toBeGreaterThanOrEqual(dots + lines);
  });

  it('stands alone: well-formed XML with real colours', () => {
    expect(standalone).toMatch(/^<\?xml[^>]*\?>\n<svg[^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    expect(standalone).not.toMatch(/var\(|currentColor/);
    expectBalanced(standalone);
  });

  it('follows the page inside one', () => {
    expect(wide).toContain('var(--icl-ink, #1f2328)');
  });
});

/** A small check of nesting, quoting and entities, since an XML reader is stricter than an HTML one. */
function expectBalanced(xml: string): void {
  const open: string[] = [];
  const rest = xml.replace(/<(\/?)([a-zA-Z:]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/g, (_tag, close, name, _a, empty) => {
    if (close === '/') expect(open.pop()).toBe(name);
    else if (empty === '') open.push(name);
    return '';
  });
  expect(open).toEqual([]);
  expect(rest.replace(/^<\?xml[^>]*\?>/, '')).not.toMatch(/[<>]/);
  expect(xml).not.toMatch(/&(?!amp;|lt;|gt;|quot;|#)/);
}

describe('logTicks', () => {
  it.each([
    [[1, 100], 10, [1, 2, 5, 10, 20, 50, 100]],
    [[1, 100], 5, [1, 3, 10, 30, 100]],
    [[0.001, 1000], 8, [0.001, 0.01, 0.1, 1, 10, 100, 1000]],
    [[0.02, 0.3], 10, [0.02, 0.05, 0.1, 0.2]],
  ] as const)('%j with room for %d', (domain, room, ticks) => {
    expect(logTicks(domain, room)).toEqual(ticks);
  });
});

describe('linearTicks', () => {
  it.each([
    [[0, 1], 5, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [[-2.3, 5.6], 6, [-2, -1, 0, 1, 2, 3, 4, 5]],
    [[0, 0.031], 6, [0, 0.005, 0.01, 0.015, 0.02, 0.025, 0.03]],
    [[0, 4100], 5, [0, 1000, 2000, 3000, 4000]],
  ] as const)('%j in about %d', (domain, count, ticks) => {
    expect(linearTicks(domain, count)).toEqual(ticks);
  });
});

describe('formatTick', () => {
  it.each([
    [0.5, '0.5'],
    [-2, '−2'],
    [20_000, '20000'],
    [1e6, '10⁶'],
    [3e-4, '3·10⁻⁴'],
    [0.001, '0.001'],
    [0, '0'],
  ])('%d is %s', (value, text) => {
    expect(formatTick(value)).toBe(text);
  });
});

describe('spread', () => {
  it('keeps order and distance', () => {
    expect(spread([10, 100, 60], 14, 200)).toEqual([10, 100, 60]);
    const moved = spread([50, 51, 52], 14, 200);
    expect(moved[1]! - moved[0]!).toBeGreaterThan(13.9);
    expect(moved[2]! - moved[1]!).toBeGreaterThan(13.9);
    expect(spread([199, 200], 14, 200).every((y) => y <= 200.5)).toBe(true);
  });
});
