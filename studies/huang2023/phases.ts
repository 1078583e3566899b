/** When the phases of a query are over, by exact descent at the settings' N. Pure: for a page, too. */
import { type Events, eventsOf } from '../../models/theory/huang2023.ts';
import type { ShadedRange } from '../figures/line-chart.ts';
import type { Settings } from '../study.ts';
import { etaOf, lengthOf, queryKinds } from './findings.ts';
import { featureSettings } from './law.ts';

const found = new Map<string, Events['events']>();

/** The events of the slowest query by exact descent at the settings' N. */
export function eventsAt(settings: Settings, last: number): Events['events'] {
  const key = JSON.stringify([settings, last]);
  const known = found.get(key);
  if (known !== undefined) return known;
  const kind = queryKinds(settings).at(-1)!;
  const { events } = eventsOf({ ...featureSettings(settings), eta: etaOf(settings) }, kind, lengthOf(settings), last);
  found.set(key, events);
  return events;
}

/** The phases of the rare query as ranges of steps, by exact descent at N. */
export function phaseRanges(settings: Settings, last: number): ShadedRange[] {
  if (queryKinds(settings).at(-1) !== 'rare') return [];
  const { leadingInfluenceSwitches, logitsSeparate, targetGrown } = eventsAt(settings, last);
  const ends = [leadingInfluenceSwitches, logitsSeparate, targetGrown].map((event) => event?.step ?? last);
  return ['I', 'II', 'III', 'IV'].map((label, i) => ({ from: ends[i - 1] ?? 0, to: ends[i] ?? last, label }));
}
