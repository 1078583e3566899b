/** The predictions along a line through the probe, as a line chart. Loaded when it is first needed: Plot comes with it. */
import { type ChartSeries, drawLineChart, type LineChart } from '../../../../studies/figures/line-chart.ts';
import { color } from '../../../../studies/figures/theme.ts';
import type { Figure } from '../../components/figure-frame.ts';
import type { Scatter } from '../../worker/methods/playground.ts';
import { type AnsweredPlane, classNameOf, partsOf, short } from './plane-views.ts';

export interface SliceOptions {
  readonly answered: AnsweredPlane;
  readonly modelTitle: string;
  /** Of the model, over fresh pairs of the same task; null where there is none. */
  readonly scatter: Scatter | null;
}

const classColors = [color.blue, color.vermilion, color.green, color.purple, color.ochre, color.slate];

export function sliceFigure(options: SliceOptions): Figure {
  const { answered, modelTitle, scatter } = options;
  const { situation, axis } = answered;
  const { comparison, probe, half } = situation;
  const [along, fixed] = axis === 0 ? ['x₁', `x₂ = ${short(probe[1])}`] : ['x₂', `x₁ = ${short(probe[0])}`];
  const chart = chartOf(options, along);
  const band =
    scatter === null ? '' : ' The band holds eight in ten of the model’s answers when the same task shows other pairs.';
  return {
    name: 'playground-slice',
    caption: `Along ${along} through the probe, where ${fixed}: the model and ${comparison.title.toLowerCase()}.${band}`,
    provenance: {
      text: `The same run as the plane: ${answered.sliceCount} of its queries lie on this line.${scatter === null ? '' : ' Band: 10 and 90 % quantiles over 64 fresh contexts.'}`,
      command: null,
    },
    draw: (context) => drawLineChart(context, chart),
    table: () => ({
      columns: [axis === 0 ? 'x1' : 'x2', ...chart.panels[0]!.series.map(({ label }) => label)],
      rows: placesOf(answered).map((x, i) => [
        x,
        ...chart.panels[0]!.series.map(({ theory, reference }) => (theory ?? reference)![i]!.y),
      ]),
    }),
  };

  function chartOf({ answered: { model, comparison: other } }: SliceOptions, name: string): LineChart {
    const isNumber = situation.responses.kind === 'number';
    const y = isNumber ? { label: 'predicted y' } : { label: 'probability', low: 0, high: 1 };
    return {
      description: `Predictions along ${name}, with ${fixed}`,
      height: 220,
      words: {},
      panels: [
        {
          x: { label: name, type: 'linear', low: -half, high: half },
          y: { type: 'linear', ...y },
          guides: [{ axis: 'x', at: probe[axis], label: 'probe', style: 'dot' }],
          series: seriesOf(answered, model, other, modelTitle, scatter),
        },
      ],
    };
  }
}

function placesOf({ situation: { half }, sliceCount }: AnsweredPlane): number[] {
  return Array.from({ length: sliceCount }, (_, i) => -half + (2 * half * i) / (sliceCount - 1));
}

function seriesOf(
  answered: AnsweredPlane,
  model: Float32Array,
  other: Float32Array | null,
  modelTitle: string,
  scatter: Scatter | null,
): ChartSeries[] {
  const { responses, comparison } = answered.situation;
  const places = placesOf(answered);
  const width = responses.kind === 'classes' && responses.isOneHot ? responses.values.length : 1;
  const pick = (values: Float32Array, k: number) => places.map((x, i) => ({ x, y: values[i * width + k]! }));
  const slice = partsOf(answered, model).slice;
  const beside = other === null ? null : partsOf(answered, other).slice;
  const nameOf = (k: number) => (width === 1 || responses.kind !== 'classes' ? '' : `, ${classNameOf(responses, k)}`);
  return Array.from({ length: width }, (_, k): ChartSeries[] => {
    const own = width === 1 ? color.blue : classColors[k % classColors.length]!;
    const band =
      scatter === null
        ? {}
        : { band: places.map((x, i) => ({ x, low: scatter.low[i * width + k]!, high: scatter.high[i * width + k]! })) };
    return [
      { label: `${modelTitle}${nameOf(k)}`, theory: pick(slice, k), color: own, ...band },
      ...(beside === null
        ? []
        : [
            {
              label: `${comparison.title}${nameOf(k)}`,
              reference: pick(beside, k),
              color: width === 1 ? color.vermilion : own,
              style: 'dash' as const,
            },
          ]),
    ];
  }).flat();
}
