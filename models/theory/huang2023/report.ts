/** All named numbers of the paper at one setting, as plain data: what `icl theory huang2023` prints. */
import { checkEventSteps, type EventName, type Events, findEvents } from './events.ts';
import { type FeatureSettings, featureProbabilities, isBalanced, type QueryKind, queryLaw } from './feature-law.ts';
import { finiteLengthRule } from './finite-length.ts';
import { initialLoss, linearAttentionLoss, missingFeatureFloor } from './formulas.ts';
import { meanFieldRule } from './mean-field.ts';

export interface HuangSettings extends FeatureSettings {
  /** Pairs in each training prompt. */
  readonly N: number;
  /** Learning rate of gradient descent. */
  readonly eta: number;
}

/** Numbers by name, and numbers by name within. What has no value at a setting is absent. */
export type HuangReport = Readonly<Record<string, number | string | Readonly<Record<string, number>>>>;

/** The losses whose times are reported. */
export const reportedLosses = [0.1, 0.05, 0.01] as const;

/** The mean field's events of one query, or those at length N. */
export function eventsOf(
  settings: FeatureSettings & { eta: number },
  kind: QueryKind,
  N?: number,
  most?: number,
): Events {
  const law = queryLaw(settings, kind);
  const rule = N === undefined ? meanFieldRule(law) : finiteLengthRule(law, N);
  const plan = { K: settings.K, losses: reportedLosses };
  return findEvents({ law, rule, eta: settings.eta }, most === undefined ? plan : { ...plan, most });
}

const lossSteps = ({ lossBelow }: Events): Record<string, number> =>
  Object.fromEntries(lossBelow.flatMap(({ loss, event }) => (event === null ? [] : [[String(loss), event.step]])));

const stepsOf = ({ events }: Events, names: readonly EventName[]): Record<string, number> =>
  Object.fromEntries(names.flatMap((name) => (events[name] === undefined ? [] : [[name, events[name].step]])));

const phaseEnds = ['leadingInfluenceSwitches', 'dominantSuppressed', 'logitsSeparate', 'targetGrown'] as const;

/** At finite N a loss may never be reached: how much longer than the mean field needs is waited for it. */
const PATIENCE = 1.5;
/** Steps at finite N cost a hundred times as much as steps of the mean field. */
const MOST_FINITE_STEPS = 20_000;

/** @throws {UsageError} on impossible settings, or where the steps would be too many. */
export function theoryReport(settings: HuangSettings): HuangReport {
  const { K, N, eta } = settings;
  const probabilities = featureProbabilities(settings);
  checkEventSteps(Math.min(...probabilities), eta, Math.min(...reportedLosses));
  const common = { logK: Math.log(K), suppression: -0.49 * Math.log(K) };
  if (isBalanced(settings)) {
    const events = eventsOf(settings, 'balanced');
    return {
      ...common,
      events: stepsOf(events, ['targetLeads', 'targetGrown']),
      lossBelow: lossSteps(events),
      ...atLength(settings, events, 'balanced', ['targetLeads', 'targetGrown']),
      ...queryNumbers('', probabilities, 0, N, K),
    };
  }
  const rare = eventsOf(settings, 'rare');
  const dominant = eventsOf(settings, 'dominant');
  return {
    ...common,
    events: stepsOf(rare, phaseEnds),
    lossBelow: lossSteps(rare),
    dominantLossBelow: lossSteps(dominant),
    ...atLength(settings, rare, 'rare', phaseEnds),
    ...queryNumbers('', probabilities, K - 1, N, K),
    ...queryNumbers('dominant', probabilities, 0, N, K),
  };
}

/** The same events at the settings' N, where they are few enough steps. */
function atLength(
  settings: HuangSettings,
  { steps }: Events,
  kind: QueryKind,
  names: readonly EventName[],
): Record<string, Record<string, number>> {
  const most = Math.ceil(PATIENCE * steps);
  if (most > MOST_FINITE_STEPS) return {};
  const events = eventsOf(settings, kind, settings.N, most);
  return { eventsAtLength: stepsOf(events, names), lossBelowAtLength: lossSteps(events) };
}

function queryNumbers(prefix: string, probabilities: readonly number[], k: number, N: number, K: number) {
  const name = (text: string) => (prefix === '' ? text : prefix + text[0]!.toUpperCase() + text.slice(1));
  const p = probabilities[k]!;
  return {
    [name('initialLoss')]: initialLoss(probabilities, k, N),
    [name('missingFeatureFloor')]: missingFeatureFloor(p, K, N),
    [name('linearAttentionLoss')]: linearAttentionLoss(p, N),
  };
}
