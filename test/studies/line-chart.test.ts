import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { type ChartPanel, drawLineChart, type LineChart } from '../../studies/figures/line-chart.ts';
import { renderFigure } from '../../studies/figures/render.ts';

const panel: ChartPanel = {
  x: { label: 'test length', type: 'log' },
  y: { label: 'total variation', type: 'log', low: 0.01 },
  series: [
    {
      label: 'N = 10',
      measured: [1, 10, 100].map((x) => ({ x, y: 1 / x, standardError: 0.1 / x })),
      theory: [1, 10, 100].map((x) => ({ x, y: 1 / x })),
      reference: [1, 10, 100].map((x) => ({ x, y: 2 / x })),
    },
    // Its last point is below the axis.
    { label: 'N = 40', measured: [1, 100].map((x) => ({ x, y: 0.1 / x, standardError: 0 })) },
    { label: 'loss', trace: [1, 5, 100].map((x) => ({ x, y: 0.5 })) },
  ],
  guides: [
    { axis: 'x', at: 10, label: 'threshold' },
    { axis: 'x', at: 11, label: 'horizon' },
    { axis: 'y', at: 0.5, label: 'chance' },
  ],
  ranges: [{ from: 1, to: 10, label: 'phase I' }],
};

const chart: LineChart = {
  description: 'Total variation against test length, measured and predicted.',
  panels: [panel],
  words: { measured: 'measured', theory: 'first order', reference: 'bound' },
};

function textsOf(svg: string) {
  const { document } = parseHTML(`<body>${svg}</body>`);
  return [...document.querySelectorAll('text')].map((element) => ({
    text: element.textContent ?? '',
    x: Number(element.getAttribute('x')),
    y: Number(element.getAttribute('y')),
  }));
}

describe('line chart', () => {
  const { wide, narrow, standalone } = renderFigure((context) => drawLineChart(context, chart));

  it('names series at their ends, guides and ranges above, kinds in the key', () => {
    const texts = textsOf(wide);
    for (const text of [
      'N = 10',
      'N = 40',
      'loss',
      'chance',
      'phase I',
      'threshold',
      'measured',
      'first order',
      'bound',
    ]) {
      expect(
        texts.filter((each) => each.text === text),
        text,
      ).toHaveLength(1);
    }
    const find = (text: string) => texts.find((each) => each.text === text)!;
    expect(find('N = 10').x).toBeGreaterThan(600);
    // Two guides a few pixels apart: their words stand in two rows.
    expect(Math.abs(find('threshold').y - find('horizon').y)).toBeGreaterThan(10);
    // A triangle on the edge is explained.
    expect(texts.some(({ text }) => text === 'below the axis')).toBe(true);
    expect(wide + narrow + standalone).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('names series in the key where their words would crowd the panel', () => {
    const label = 'a rather long name of a series';
    const long = { ...chart, panels: [{ ...panel, series: [{ ...panel.series[0]!, label }] }] };
    const crowded = renderFigure((context) => drawLineChart(context, long)).narrow;
    expect(textsOf(crowded).find(({ text }) => text === label)!.x).toBeLessThan(60);
  });

  it('stacks panels on a telephone, under one key', () => {
    const titles = ['one', 'two', 'three'];
    const several = { ...chart, panels: titles.map((title) => ({ ...panel, title })), columns: 3 };
    const drawn = renderFigure((context) => drawLineChart(context, several));
    const heights = [drawn.wide, drawn.narrow].map((svg) => Number(/ height="([\d.]+)"/.exec(svg)![1]));
    expect(heights[1]).toBeGreaterThan(2 * heights[0]!);
    expect(textsOf(drawn.wide).filter(({ text }) => text === 'N = 10')).toHaveLength(1);
  });

  it('starts a linear axis at 0 where that is near, and keeps the ends that were asked for', () => {
    const ticksOf = (y: ChartPanel['y']) => {
      const linear = {
        ...panel,
        y,
        series: [{ label: 'a', measured: [1, 2].map((x) => ({ x, y: x / 8, standardError: 0.2 })) }],
      };
      const svg = renderFigure((context) =>
        drawLineChart(context, { ...chart, panels: [{ ...linear, guides: [] }] }),
      ).wide;
      return textsOf(svg).map(({ text }) => text);
    };
    expect(ticksOf({ label: 'y', type: 'linear' })).toContain('0');
    const asked = ticksOf({ label: 'y', type: 'linear', low: -1, high: 1 });
    expect(asked).toContain('−1');
    expect(asked).toContain('1');
  });
});

describe('a band', () => {
  it('spans two standard errors and ends at the axis, where bars would too', () => {
    const measured = [1, 2, 3].map((x) => ({ x, y: 0.1, standardError: 0.1 }));
    const draw = (isBand: boolean) =>
      renderFigure((context) =>
        drawLineChart(context, {
          description: 'Three points.',
          panels: [
            {
              x: { label: 'level', type: 'linear', low: 1, high: 3 },
              y: { label: 'risk', type: 'log', low: 0.01, high: 1 },
              series: [{ label: 'model', measured, isBand }],
            },
          ],
          words: {},
          legend: 'key',
        }),
      ).wide;
    const { document } = parseHTML(`<body>${draw(true)}</body>`);
    const area = document.querySelector('[fill-opacity="0.16"] path')!.getAttribute('d')!;
    const heights = [...area.matchAll(/[\d.]+,([\d.]+)/g)].map(([, y]) => Number(y));
    expect(heights).toHaveLength(6);
    // On an axis of two decades: 0.3 is log10(30) / 2 of the way up, the floor is its end.
    const [top, bottom] = [Math.min(...heights), Math.max(...heights)];
    const axis = (bottom - top) / (Math.log10(30) / 2);
    expect(axis).toBeCloseTo(330 - 44, 0);
    expect(draw(false)).not.toContain('fill-opacity="0.16"');
  });
});
