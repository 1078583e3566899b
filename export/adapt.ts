/**
 * A foreign graph behind our contract: nodes before it make its inputs from covariates, responses and queries, nodes behind it
 * find the prediction in its output. Its own nodes and weights are copied as they stand. A graph that takes one query per prompt
 * is given every query as a prompt of its own.
 */
import { ExportError } from '../models/errors.ts';
import type { TaskSpec } from '../models/tasks/index.ts';
import { version } from '../models/version.ts';
import type { AdapterChoice, ForeignModel } from './foreign.ts';
import type { Attribute, Graph, Initializer, Node, Value } from './graph.ts';
import { adaptedName, metadataProps } from './metadata.ts';
import { serializeModel } from './serialize.ts';

export interface Adaptation {
  readonly choice: AdapterChoice;
  /** The output is minus the prediction, as where attention descends a gradient on the label's slot. */
  readonly isNegated: boolean;
  /** What it was trained on, as its maker says. */
  readonly task: TaskSpec;
  /** Pairs in each training prompt, as its maker says. */
  readonly contextLength: number;
  /** Where it comes from: the file's name. */
  readonly origin: string;
}

/** The bytes of a model in our contract. @throws {ExportError} if the choice does not fit the graph. */
export function adaptModel({ model, opset }: ForeignModel, adaptation: Adaptation): Uint8Array {
  const { choice, task, contextLength, isNegated, origin } = adaptation;
  const producer = [model.producerName, model.producerVersion].filter((part) => part !== '').join(' ');
  return serializeModel({
    irVersion: model.irVersion,
    opsetImports: model.opsetImports,
    producerName: 'icl-onnx',
    producerVersion: version,
    domain: 'icl-onnx',
    modelVersion: 1,
    docString: `An adapter of icl-onnx around ${origin}.`,
    graph: new Splice(model.graph, opset, task.dimension).around(choice, isNegated),
    metadata: metadataProps({
      study: 'none',
      model: adaptedName,
      task,
      config: { contextLength, adapter: { ...choice, isNegated } },
      training: {},
      author: model.metadata['author'] ?? (producer === '' ? 'unknown' : producer),
      license: model.metadata['license'] ?? 'unknown',
      convertedFrom: producer === '' ? origin : `${origin}, by ${producer}`,
    }),
  });
}

/** ONNX's largest int64 as far as a double holds it: to the end of an axis. */
const toTheEnd = Number.MAX_SAFE_INTEGER;
const contractNames = ['covariates', 'responses', 'query', 'prediction'] as const;

/** The new graph while it is made. */
class Splice {
  readonly #foreign: Graph;
  readonly #opset: number;
  readonly #dimension: number;
  readonly #taken: Set<string>;
  readonly #nodes: Node[] = [];
  readonly #initializers: Initializer[] = [];

  constructor(foreign: Graph, opset: number, dimension: number) {
    this.#foreign = foreign;
    this.#opset = opset;
    this.#dimension = dimension;
    this.#taken = new Set([
      ...contractNames,
      ...[...foreign.inputs, ...foreign.initializers].map(({ name }) => name),
      ...foreign.nodes.flatMap(({ outputs }) => outputs),
    ]);
  }

  around(choice: AdapterChoice, isNegated: boolean): Graph {
    const output = this.#find(this.#foreign.outputs, choice.output);
    const inputs = choice.kind === 'embedding' ? this.#embedding(choice) : this.#threeInputs(choice);
    const renamed = this.#renamed(inputs);
    const rename = (name: string) => renamed.get(name) ?? name;
    const before = this.#nodes.splice(0);
    this.#predict(rename(output.name), output.shape.length, this.#isSingle(choice), isNegated);
    const value = (name: string, shape: Value['shape'], doc: string): Value => ({ name, dtype: 'float32', shape, doc });
    return {
      name: 'adapted',
      inputs: [
        value('covariates', ['batch', 'context', this.#dimension], 'x_1 .. x_N of each prompt'),
        value('responses', ['batch', 'context'], 'y_1 .. y_N of each prompt'),
        value('query', ['batch', 'queries', this.#dimension], 'covariates to predict at'),
      ],
      outputs: [value('prediction', ['batch', 'queries'], `from the output ${output.name} of the graph inside`)],
      initializers: [
        ...this.#foreign.initializers.map((each) => ({ ...each, name: rename(each.name) })),
        ...this.#initializers,
      ],
      nodes: [
        ...before,
        ...this.#foreign.nodes.map((node) => ({
          ...node,
          inputs: node.inputs.map(rename),
          outputs: node.outputs.map(rename),
        })),
        ...this.#nodes,
      ],
      // The file's own names of lengths would mean others here.
      interior: [],
    };
  }

  /** Value of each foreign input. */
  #embedding({ embedding, isTransposed }: Extract<AdapterChoice, { kind: 'embedding' }>): Map<string, string> {
    const width = this.#dimension + 1;
    const zeros = this.#zeros();
    const pairs = this.#node('Concat', ['covariates', this.#unsqueeze('responses', 2)], { axis: integer(2) }); // [B, N, D + 1]
    const last = this.#node('Concat', ['query', zeros], { axis: integer(2) }); // [B, Q, D + 1]
    const repeated = this.#node('Add', [this.#unsqueeze(pairs, 1), this.#unsqueeze(zeros, 3)]); // [B, Q, N, D + 1]
    const tokens = this.#node('Concat', [repeated, this.#unsqueeze(last, 2)], { axis: integer(2) });
    const rows = this.#mergeQueries(tokens, width); // [B Q, N + 1, D + 1]
    const value = isTransposed ? this.#node('Transpose', [rows], { perm: { kind: 'ints', values: [0, 2, 1] } }) : rows;
    return new Map([[this.#find(this.#foreign.inputs, embedding).name, value]]);
  }

  #threeInputs(choice: Extract<AdapterChoice, { kind: 'three-inputs' }>): Map<string, string> {
    const [covariates, responses, query] = ([choice.covariates, choice.responses, choice.query] as const).map((name) =>
      this.#find(this.#foreign.inputs, name),
    ) as [Value, Value, Value];
    const asColumn = (name: string) => (responses.shape.length === 3 ? this.#unsqueeze(name, 2) : name);
    if (!this.#isSingle(choice)) {
      return new Map([
        [covariates.name, 'covariates'],
        [responses.name, asColumn('responses')],
        [query.name, 'query'],
      ]);
    }
    const zeros = this.#zeros();
    const repeated = this.#node('Add', [this.#unsqueeze('covariates', 1), this.#unsqueeze(zeros, 3)]); // [B, Q, N, D]
    const labels = this.#node('Add', [this.#unsqueeze('responses', 1), zeros]); // [B, Q, N]
    return new Map([
      [covariates.name, this.#mergeQueries(repeated, this.#dimension)],
      [responses.name, asColumn(this.#node('Flatten', [labels], { axis: integer(2) }))],
      [query.name, this.#node('Flatten', ['query'], { axis: integer(2) })],
    ]);
  }

  #isSingle(choice: AdapterChoice): boolean {
    return choice.kind === 'embedding' || this.#find(this.#foreign.inputs, choice.query).shape.length === 2;
  }

  /** `[B, Q, 1]` zeros: their shape is what is wanted of them. */
  #zeros(): string {
    const first = this.#node('Slice', ['query', this.#integers([0]), this.#integers([1]), this.#integers([2])]);
    return this.#node('Sub', [first, first]);
  }

  /** `[B, Q, M, width]` as `[B Q, M, width]`. */
  #mergeQueries(name: string, width: number): string {
    const flat = this.#node('Flatten', [name], { axis: integer(2) });
    return this.#node('Reshape', [flat, this.#integers([0, -1, width])]);
  }

  /** Finds the prediction in the foreign output; its last entries where it has one for every position. */
  #predict(output: string, rank: number, isSingle: boolean, isNegated: boolean): void {
    const shape = this.#shapeOfQueries();
    // Before Reshape, whatever holds one number per query: of a position's, the last; of a token's, its last slot.
    const axes = isSingle ? Array.from({ length: rank - 1 }, (_, i) => i + 1) : [];
    const entry =
      axes.length === 0
        ? output
        : this.#node('Slice', [
            output,
            this.#integers(axes.map(() => -1)),
            this.#integers(axes.map(() => toTheEnd)),
            this.#integers(axes),
          ]);
    const signed = isNegated ? this.#node('Neg', [entry]) : entry;
    this.#nodes.push(nodeOf('Reshape', [signed, shape], ['prediction'], 'adapter_prediction'));
  }

  /** `[B, Q]` as a shape. */
  #shapeOfQueries(): string {
    if (this.#opset >= 15) return this.#node('Shape', ['query'], { start: integer(0), end: integer(2) });
    const whole = this.#node('Shape', ['query']);
    return this.#node('Slice', [whole, this.#integers([0]), this.#integers([2]), this.#integers([0])]);
  }

  #unsqueeze(name: string, axis: number): string {
    return this.#node('Unsqueeze', [name, this.#integers([axis])]);
  }

  /** New names: of the inputs, and of what has a name that the contract or the adapter needs. */
  #renamed(inputs: ReadonlyMap<string, string>): Map<string, string> {
    const renamed = new Map(inputs);
    const { initializers, nodes } = this.#foreign;
    for (const name of [...initializers.map((each) => each.name), ...nodes.flatMap(({ outputs }) => outputs)]) {
      if (contractNames.some((each) => each === name)) renamed.set(name, this.#free(`foreign_${name}`));
    }
    return renamed;
  }

  #find(values: readonly Value[], name: string): Value {
    const found = values.find((value) => value.name === name);
    if (found !== undefined) return found;
    const got = values.map((value) => value.name).join(', ');
    throw new ExportError({ where: 'adapter', expected: `a value ${JSON.stringify(name)}`, got });
  }

  #free(wanted: string): string {
    let name = wanted;
    for (let i = 2; this.#taken.has(name); i++) name = `${wanted}_${i}`;
    this.#taken.add(name);
    return name;
  }

  #integers(values: readonly number[]): string {
    const name = this.#free(`adapter_integers_${values.join('_').replaceAll('-', 'minus_')}`);
    const data = BigInt64Array.from(values, BigInt);
    this.#initializers.push({ name, dtype: 'int64', shape: [values.length], data });
    return name;
  }

  #node(opType: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    const name = this.#free(`adapter_${opType.toLowerCase()}`);
    this.#nodes.push(nodeOf(opType, inputs, [name], name, attributes));
    return name;
  }
}

const integer = (value: number): Attribute => ({ kind: 'int', value });

const nodeOf = (
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  name: string,
  attributes: Readonly<Record<string, Attribute>> = {},
): Node => ({ name, opType, domain: '', inputs, outputs, attributes });
