/**
 * The trainings of a worker: prepared, run, steered, frozen. Each tells the page about ten times a second what its steps lost
 * and how its parameters look in the words of theory. Loaded when the first training is asked for.
 */
import { exportModel } from '../../../../export/export-model.ts';
import type { WebProvider } from '../../../../infer/web-runtime.ts';
import { architectureNamed } from '../../../../models/attention/index.ts';
import { sizeOf } from '../../../../models/shape.ts';
import { definitions } from '../../../../studies/definitions.ts';
import { describeTrained, type Trained } from '../../../../studies/trained-model.ts';
import { type Look, relativeDistance, type Watch, watchOf } from '../../../../studies/watch.ts';
import type { TrainingConfig } from '../../../../train/config.ts';
import { type FitMoment, fit as fitModel } from '../../../../train/fit-web.ts';
import { formatMetrics } from '../../../../train/metrics.ts';
import type { CallContext } from '../protocol.ts';
import { Gate } from './gate.ts';
import { resolveRequest, type TrainingRequest } from './request.ts';

/** A study as a page offers it. */
export interface StudySummary {
  readonly name: string;
  readonly title: string;
  readonly paper: { readonly title: string; readonly authors: string; readonly year: number; readonly arxiv: string };
  readonly settings: readonly { readonly name: string; readonly description: string; readonly default: string }[];
}

export const studySummaries = (): StudySummary[] =>
  definitions.map(({ name, title, paper, settings }) => ({
    name,
    title,
    paper,
    settings: settings.map((each) => ({
      name: each.name,
      description: each.description,
      default: String(each.default),
    })),
  }));

/** What is known of a training before its first step. */
export interface Preparation {
  readonly config: TrainingConfig;
  readonly command: string;
  /** Numbers that are trained. */
  readonly parameterCount: number;
  readonly theory: Omit<Watch, 'look'>;
}

export function prepare(request: TrainingRequest): Preparation {
  const { config, command } = resolveRequest(request);
  const shapes = architectureNamed(config.model.name).parameterShapes(config.model);
  const parameterCount = Object.values(shapes).reduce((sum, shape) => sum + sizeOf(shape), 0);
  const { look: _, ...theory } = watchOf(config);
  return { config, command, parameterCount, theory };
}

/** The parameters at a step, as the page keeps them: the matrix of the last one only. */
export interface Seen extends Omit<Look, 'matrix'> {
  readonly step: number;
  /** Of the matrix to its limit, relative; null where theory knows none. */
  readonly distance: number | null;
}

/** What the page is told of a training under way. */
export interface TrainingFrame {
  /** Steps done. */
  readonly step: number;
  /** Of each step since the last frame. */
  readonly losses: readonly number[];
  readonly looks: readonly Seen[];
  readonly matrix: Look['matrix'];
  readonly isPaused: boolean;
  /** Lately, without the time that looking takes. */
  readonly stepsPerSecond: number;
  readonly engine: { readonly device: string; readonly adapter: string | null; readonly runtime: string };
}

interface Run {
  readonly config: TrainingConfig;
  readonly gate: Gate;
  readonly stop: AbortController;
  latest: Trained | undefined;
}

const runs = new Map<string, Run>();

const MILLISECONDS_PER_FRAME = 100;
/** Steps at which parameters are looked at whatever the clock says, if that is cheap. */
const LOOKS = 60;

/** Ascending steps, dense at first. */
const lookSteps = (steps: number): ReadonlySet<number> =>
  new Set(Array.from({ length: LOOKS }, (_, i) => Math.round(steps ** (i / (LOOKS - 1)))));

export interface TrainArgument {
  /** A name that the page gives the run. */
  readonly run: string;
  readonly request: TrainingRequest;
  readonly provider: WebProvider;
  /** Wait after so many steps; null: do not. */
  readonly stopAt: number | null;
  /** Wait after the first step. */
  readonly isSingle: boolean;
}

export interface TrainingEnd {
  readonly steps: number;
  /** It was stopped before its last step. */
  readonly isInterrupted: boolean;
  readonly seconds: number;
}

/** Trains until the end, or until it is stopped. @throws {TrainingError} | {ProviderError} | {UsageError} */
export async function trainRun(
  { run: name, request, provider, stopAt, isSingle }: TrainArgument,
  { signal, report }: CallContext<TrainingFrame>,
): Promise<TrainingEnd> {
  const { config } = resolveRequest(request);
  const watch = watchOf(config);
  const run: Run = { config, gate: new Gate(stopAt), stop: new AbortController(), latest: undefined };
  runs.clear(); // One at a time: the page keeps what it froze.
  runs.set(name, run);
  const end = () => {
    run.stop.abort();
    run.gate.resume();
  };
  signal.addEventListener('abort', end, { once: true });
  const grid = provider === 'wasm' ? lookSteps(config.steps) : new Set<number>();
  const pace = createPace();
  let lastFrame = Number.NEGATIVE_INFINITY;
  let losses: number[] = [];
  let looks: Seen[] = [];

  const lookAt = async ({ step, metrics, engine, readParameters }: FitMoment): Promise<Look> => {
    const parameters = await readParameters();
    const { device, adapter, runtime } = engine;
    run.latest = { step, parameters, metrics: [...metrics], engine: 'onnx', device, adapter, runtime };
    const look = watch.look(step, parameters);
    const { matrix, ...rest } = look;
    const limit = watch.matrix?.limit;
    const distance = matrix === null || limit === undefined ? null : relativeDistance(matrix, limit);
    looks.push({ ...rest, step, distance });
    return look;
  };

  const send = (moment: Pick<FitMoment, 'step' | 'engine'>, isPaused: boolean, matrix: Look['matrix']): void => {
    const { device, adapter, runtime } = moment.engine;
    const { stepsPerSecond } = pace;
    report({
      step: moment.step,
      losses,
      looks,
      matrix,
      isPaused,
      stepsPerSecond,
      engine: { device, adapter, runtime },
    });
    [losses, looks] = [[], []];
  };
  let last: FitMoment | undefined;
  try {
    const { steps, interrupted, seconds } = await fitModel({
      config,
      device: provider,
      signal: run.stop.signal,
      onStep: ({ loss }) => void losses.push(loss),
      betweenSteps: (moment) => {
        last = moment;
        if (isSingle && moment.step === 1) run.gate.pause();
        const waiting = run.gate.wait(moment.step);
        const isFrame =
          waiting !== undefined ||
          moment.step === config.steps ||
          performance.now() - lastFrame >= MILLISECONDS_PER_FRAME;
        if (!isFrame && !grid.has(moment.step)) return undefined;
        return async () => {
          pace.stop(moment.step);
          const look = await lookAt(moment);
          if (isFrame) {
            send(moment, waiting !== undefined, look.matrix);
            await waiting;
            lastFrame = performance.now();
          }
          pace.start();
        };
      },
    });
    return { steps, isInterrupted: interrupted, seconds };
  } catch (error) {
    // What was found until then is kept and shown.
    if (last !== undefined && losses.length > 0) send({ ...last, step: last.step - 1 }, false, null);
    throw error;
  } finally {
    signal.removeEventListener('abort', end);
  }
}

/** Steps per second over the last second or so, between `start` and `stop`. */
function createPace() {
  let since: number | undefined;
  let counted = 0;
  let spent = 0;
  let last = 0;
  return {
    start: (): void => {
      since = performance.now();
    },
    stop: (step: number): void => {
      if (since !== undefined) {
        counted = 0.9 * counted + (step - last);
        spent = 0.9 * spent + (performance.now() - since) / 1000;
      }
      last = step;
    },
    get stepsPerSecond(): number {
      return spent > 0 ? counted / spent : 0;
    },
  };
}

function runNamed(name: string): Run {
  const run = runs.get(name);
  if (run === undefined) throw new Error(`the worker has no training ${JSON.stringify(name)}`);
  return run;
}

export interface SteerArgument {
  readonly run: string;
  readonly command: 'pause' | 'resume' | 'step' | 'stop';
  /** For `pause`: wait after so many steps instead of now. */
  readonly at?: number | null;
}

export function steerRun({ run: name, command, at }: SteerArgument): void {
  const { gate, stop } = runNamed(name);
  if (at !== undefined) gate.stopAt = at;
  else if (command === 'stop') {
    stop.abort();
    gate.resume();
  } else gate[command]();
}

/** What a training has come to, to be taken away. */
export interface FrozenTraining {
  readonly bytes: Uint8Array;
  /** Steps done. */
  readonly step: number;
  readonly config: TrainingConfig;
  readonly configText: string;
  readonly metrics: string;
}

/** The model as it was last looked at, at most a tenth of a second ago. @throws {ExportError} */
export function freezeRun(name: string): FrozenTraining {
  const { config, latest } = runNamed(name);
  if (latest === undefined) throw new Error('the training has not begun');
  return {
    bytes: exportModel(describeTrained(config, latest)),
    step: latest.step,
    config,
    configText: `${JSON.stringify(config, null, 2)}\n`,
    metrics: formatMetrics(latest.metrics),
  };
}
