/** The two forces on a rare query, alpha_k and |beta_{k,1}|: trained, by exact descent, and in the mean field at more features. */
import { descentStates, eventsOf, meanFieldRule, type QueryState, queryLaw } from '../../models/theory/huang2023.ts';
import type { ChartPanel, ChartSeries } from '../figures/line-chart.ts';
import type { MeasuredPoint } from '../figures/marks.ts';
import { seriesAt } from '../figures/theme.ts';
import { along, etaOf, exactStates, type Probed, probabilityOf, stepGrid } from './findings.ts';
import { featureSettings } from './law.ts';
import { eventsAt } from './phases.ts';

interface Force {
  readonly label: string;
  readonly look: ReturnType<typeof seriesAt>;
  readonly exact: (state: QueryState) => number;
}

const forces: readonly Force[] = [
  { label: 'α_k', look: seriesAt(0), exact: ({ moments }) => moments.direction[0]! },
  { label: '|β_{k,1}|', look: seriesAt(3), exact: ({ moments }) => Math.abs(moments.direction[1]!) },
];

/** A panel of exact curves alone. */
function meanFieldPanel(K: number, eta: number, last: number): ChartPanel {
  const law = queryLaw({ K, p1: 0.5 }, 'rare');
  const states = descentStates({ law, rule: meanFieldRule(law), eta }, stepGrid(last));
  const probability = law.groups[0]!.probability;
  const crossing = eventsOf({ K, p1: 0.5, eta }, 'rare').events.leadingInfluenceSwitches!.step;
  return {
    title: `mean field, K = ${K}, η = ${eta}`,
    x: { label: 'steps t', type: 'log' },
    y: { label: 'force', type: 'log' },
    series: forces.map(({ label, look, exact }) => ({
      label,
      ...look,
      theory: states.map((state) => ({ x: state.step, y: probability * exact(state) })),
    })),
    guides: [{ axis: 'x', at: crossing, style: 'dot' }],
  };
}

/** The trained model, and the mean field at K = 100 and 1000. */
export function influencePanels(main: readonly Probed[]): ChartPanel[] {
  const { settings } = main[0]!.model.plan;
  const last = main[0]!.model.run.steps;
  const probability = probabilityOf(settings, 'rare');
  const states = exactStates(settings, 'rare', stepGrid(last));
  const measured = (place: (k: number) => number): MeasuredPoint[] =>
    along(main, 'rare', ({ k, probe }) => Math.abs(probe.queries[k]!.direction[place(k)]!))
      .filter(({ step }) => step > 0)
      .map(({ step, mean, standardError }) => ({
        x: step,
        y: probability * mean,
        standardError: probability * standardError,
      }));
  const series = forces.map(
    ({ label, look, exact }, i): ChartSeries => ({
      label,
      ...look,
      measured: measured(i === 0 ? (k) => k : () => 0),
      theory: states.map((state) => ({ x: state.step, y: probability * exact(state) })),
    }),
  );
  const crossing = eventsAt(settings, last).leadingInfluenceSwitches;
  const { K } = featureSettings(settings);
  return [
    {
      title: `trained, K = ${K}, η = ${etaOf(settings)}`,
      x: { label: 'steps t', type: 'log' },
      y: { label: 'force', type: 'log' },
      series,
      ...(crossing === undefined ? {} : { guides: [{ axis: 'x', at: crossing.step, style: 'dot' } as const] }),
    },
    meanFieldPanel(100, 10, 4000),
    meanFieldPanel(1000, 200, 14_000),
  ];
}
