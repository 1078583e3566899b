/** Methods about models: opening one, closing one. */
import type { ModelMetadata } from '../../../../export/metadata.ts';
import { trainedTensors } from '../../../../export/read-model.ts';
import type { SessionReport } from '../../../../infer/session.ts';
import type { WebProvider } from '../../../../infer/web-runtime.ts';
import type { ModelSizes } from '../../../../models/architecture.ts';
import { addModel, removeModel, type SessionChoice, sessionOf } from '../open-models.ts';

/** What a model's file says. */
export interface ModelDescription {
  readonly id: string;
  readonly metadata: ModelMetadata;
  readonly sizes: ModelSizes;
  readonly hasPrefixes: boolean;
  /** Fewest pairs a prompt must have. */
  readonly minimumContext: number;
  /** Trained numbers. */
  readonly parameterCount: number;
  /** Size of the file. */
  readonly bytes: number;
}

/** What the page knows of a model that is open. */
export interface ModelSummary extends ModelDescription {
  readonly report: SessionReport;
  /** Milliseconds that opening the session took, the runtime's download included. */
  readonly milliseconds: number;
}

export interface FileArgument {
  readonly id: string;
  /** For messages. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface OpenArgument extends FileArgument, SessionChoice {
  readonly provider: WebProvider;
}

/** Reads a model's file, without the runtime; a session is opened when it is first asked for. @throws {DataError} */
export async function describeModel({ id, name, bytes }: FileArgument): Promise<ModelDescription> {
  const model = addModel(id, name, bytes);
  return {
    id,
    metadata: model.metadata,
    sizes: model.sizes,
    hasPrefixes: model.hasPrefixes,
    minimumContext: model.architecture.minimumContext,
    parameterCount: trainedTensors(model).reduce((sum, { data }) => sum + data.length, 0),
    bytes: model.bytes.length,
  };
}

/** Reads a model's file and opens a session. @throws {DataError} | {ProviderError} */
export async function openModel({ provider, id, name, bytes, ...choice }: OpenArgument): Promise<ModelSummary> {
  const description = await describeModel({ id, name, bytes });
  const start = performance.now();
  const { report } = await sessionOf(id, provider, choice);
  return { ...description, report, milliseconds: performance.now() - start };
}

export function closeModel(id: string): Promise<void> {
  return removeModel(id);
}
