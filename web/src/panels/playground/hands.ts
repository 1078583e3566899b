/** What a hand does to the pairs, as new pairs. Pure: nothing is shown, nothing is kept. */
import { mostPairs, type Pair } from './pairs.ts';
import type { PlaneAction } from './plane.ts';
import type { Situation } from './situation.ts';

export interface Edit {
  readonly pairs: readonly Pair[];
  /** The pair that is chosen afterwards. */
  readonly chosen: number;
}

/** Fewest pairs that the model answers. */
export const leastPairs = ({ summary }: Situation): number => Math.max(1, summary.minimumContext);

const STEP = 0.1;
const FINE_STEP = 0.01;

/** Undefined where nothing changes: an action on no pair, or one more or less than there may be. */
export function edit(situation: Situation, action: PlaneAction, chosen: number | null): Edit | undefined {
  const { pairs } = situation;
  const replaced = (index: number, change: (pair: Pair) => Pair): Edit => ({
    pairs: pairs.map((pair, i) => (i === index ? change(pair) : pair)),
    chosen: index,
  });
  switch (action.kind) {
    case 'move': {
      const [x1, x2] = action.place;
      return replaced(action.index, (pair) => ({ ...pair, x1, x2 }));
    }
    case 'add': {
      if (pairs.length >= mostPairs) return undefined;
      const [x1, x2] = action.place;
      return { pairs: [...pairs, { x1, x2, y: newResponse(situation, x1, x2, chosen) }], chosen: pairs.length };
    }
    case 'remove':
      if (pairs.length <= leastPairs(situation)) return undefined;
      return {
        pairs: pairs.filter((_, i) => i !== action.index),
        chosen: Math.min(action.index, pairs.length - 2),
      };
    case 'respond':
      return replaced(action.index, (pair) => ({ ...pair, y: stepped(situation, pair.y, action) }));
    default:
      return undefined;
  }
}

/** What a new pair is given: what the drawn function says there; of classes the class of the pair chosen last. */
function newResponse({ responses, taskParameters, pairs }: Situation, x1: number, x2: number, chosen: number | null) {
  if (responses.kind === 'number') return Number((taskParameters[0]! * x1 + taskParameters[1]! * x2).toFixed(2));
  return pairs[chosen ?? pairs.length - 1]?.y ?? responses.values[0]!;
}

function stepped({ responses }: Situation, y: number, { step, isFine }: { step: 1 | -1; isFine: boolean }): number {
  if (responses.kind === 'number') return y + step * (isFine ? FINE_STEP : STEP);
  const { values } = responses;
  return values[(values.indexOf(y) + step + values.length) % values.length]!;
}
