/**
 * An engine on a session that runs the training-step graph again and again: how batches become feeds, and state vectors named
 * tensors. Where the session runs, in a thread of Node or in a page, is for `onnx-engine.ts` and `onnx-engine-web.ts`.
 */
import { serializeModel } from '../export/serialize.ts';
import type { Feed, StatefulGraph } from '../infer/stateful-runner.ts';
import type { StatefulSession } from '../infer/stateful-session.ts';
import { ShapeError } from '../models/errors.ts';
import { type LabelledBatch, labelAxis } from '../models/prompts.ts';
import { sizeOf } from '../models/shape.ts';
import type { DeviceName } from './engine-table.ts';
import type { Engine, EngineOptions, TrainingState } from './engines.ts';
import { createOptimizer } from './optimizers.ts';
import { stepsUnderWay } from './training-prompts.ts';
import { buildTrainingStep, reportOutputs, type TrainingStep, trainingStepModel } from './training-step.ts';

export interface PreparedStep {
  readonly step: TrainingStep;
  /** What a session is opened on. */
  readonly graph: StatefulGraph;
}

/** The graph of an engine's steps. @throws {ExportError} | {UsageError} as `buildTrainingStep`. */
export function prepareStep(options: Omit<EngineOptions, 'device'>): PreparedStep {
  const step = buildTrainingStep(options);
  const model = trainingStepModel(step, options, { study: '', task: {}, config: {} });
  return { step, graph: { bytes: serializeModel(model), state: step.state, size: step.size, reports: reportOutputs } };
}

export interface GraphEngineParts {
  readonly device: DeviceName;
  /** Steps under way before the oldest is read. */
  readonly pipelineDepth: number;
  readonly options: Omit<EngineOptions, 'device'>;
  readonly step: TrainingStep;
  readonly session: StatefulSession;
}

export function createGraphEngine({ device, pipelineDepth, options, step, session }: GraphEngineParts): Engine {
  const { state, scalars, size, parameters } = step;
  const { sizes, batch = Infinity, contextLength = Infinity } = options;
  const isKept = pipelineDepth <= stepsUnderWay({ batch, contextLength, dimension: sizes.dimension });
  const optimizer = createOptimizer(options.optimizer);
  /** Feeds of the batches that come again and again. */
  const known = new WeakMap<LabelledBatch, readonly Feed[]>();
  const feedsFor = (batch: LabelledBatch): readonly Feed[] => {
    const feeds = known.get(batch) ?? feedsOf(batch, isKept);
    known.set(batch, feeds);
    return feeds;
  };
  return {
    name: 'onnx',
    device,
    adapter: session.adapter,
    runtime: session.runtime,
    pipelineDepth,
    scalars: (learningRate, at) => optimizer.scalars(learningRate, at),
    step(batch, values) {
      requireOneQuery(batch);
      const numbers = scalars.map(
        ({ scalar, input }): Feed => ({ name: input, shape: [], values: Float32Array.of(values[scalar]!) }),
      );
      const started = session.step([...feedsFor(batch), ...numbers]);
      return {
        async read() {
          const [loss, gradientNorm] = await started.read();
          return { loss: loss!, gradientNorm: gradientNorm! };
        },
      };
    },
    async readState() {
      const vectors = await session.read();
      const named = vectors.map((vector) => splitVector(vector, step));
      const slots = state.map(({ slot }, i) => [slot, named[i]!] as const).filter(([slot]) => slot !== null);
      return { parameters: named[0]!, optimizer: Object.fromEntries(slots) };
    },
    loadState(from) {
      // Joined, and thereby checked, as a whole before anything is sent.
      session.load(state.map(({ slot }) => joinVector(from, slot, { parameters, size })));
    },
    tensorCount: () => session.tensorCount(),
    dispose: () => session.close(),
  };
}

/** ONNX Runtime's own words for it would come later, from another thread. */
function requireOneQuery({ queries }: LabelledBatch): void {
  if (queries !== 1) {
    throw new ShapeError({ where: 'engine onnx', expected: 'one query per training prompt', got: String(queries) });
  }
}

function feedsOf(batch: LabelledBatch, isKept: boolean): Feed[] {
  /** What threads share and nobody overwrites need not be copied for another one. */
  const numbersOf = (values: Float32Array): Pick<Feed, 'values' | 'stays'> => ({
    values,
    stays: isKept && typeof SharedArrayBuffer !== 'undefined' && values.buffer instanceof SharedArrayBuffer,
  });
  const { batch: count, context, queries, dimension } = batch;
  const classes = labelAxis(batch);
  return [
    { name: 'covariates', shape: [count, context, dimension], ...numbersOf(batch.covariates) },
    { name: 'responses', shape: [count, context, ...classes], ...numbersOf(batch.responses) },
    { name: 'query', shape: [count, queries, dimension], ...numbersOf(batch.query) },
    { name: 'targets', shape: [count, queries, ...classes], ...numbersOf(batch.targets) },
  ];
}

type Layout = Pick<TrainingStep, 'parameters' | 'size'>;

function splitVector(vector: Float32Array, { parameters }: Layout): Record<string, Float32Array> {
  return Object.fromEntries(
    parameters.map(({ name, shape, offset }) => [name, vector.slice(offset, offset + sizeOf(shape))]),
  );
}

/** @throws {ShapeError} if a tensor is missing or has another size. */
function joinVector(state: TrainingState, slot: string | null, { parameters, size }: Layout): Float32Array {
  const vector = new Float32Array(size);
  for (const { name, shape, offset } of parameters) {
    const values = slot === null ? state.parameters[name] : state.optimizer[slot]?.[name];
    if (values?.length !== sizeOf(shape)) {
      throw new ShapeError({
        where: slot === null ? `parameters/${name}` : `optimizer/${slot}/${name}`,
        expected: `${sizeOf(shape)} numbers`,
        got: values === undefined ? 'none' : String(values.length),
      });
    }
    vector.set(values, offset);
  }
  return vector;
}
