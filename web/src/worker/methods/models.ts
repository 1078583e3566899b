/** Methods about models: opening one, closing one. */
import type { ModelMetadata } from '../../../../export/metadata.ts';
import type { SessionReport } from '../../../../infer/session.ts';
import type { WebProvider } from '../../../../infer/web-runtime.ts';
import type { ModelSizes } from '../../../../models/architecture.ts';
import { addModel, removeModel, type SessionChoice, sessionOf } from '../open-models.ts';

/** What the page knows of a model that is open. */
export interface ModelSummary {
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
  readonly report: SessionReport;
  /** Milliseconds that opening the session took, the runtime's download included. */
  readonly milliseconds: number;
}

export interface OpenArgument extends SessionChoice {
  readonly id: string;
  /** For messages. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly provider: WebProvider;
}

/** Reads a model's file and opens a session. @throws {DataError} | {ProviderError} */
export async function openModel({ id, name, bytes, provider, ...choice }: OpenArgument): Promise<ModelSummary> {
  const model = addModel(id, name, bytes);
  const start = performance.now();
  const { report } = await sessionOf(id, provider, choice);
  return {
    id,
    metadata: model.metadata,
    sizes: model.sizes,
    hasPrefixes: model.hasPrefixes,
    minimumContext: model.architecture.minimumContext,
    parameterCount: Object.values(model.parameters).reduce((sum, { length }) => sum + length, 0),
    bytes: model.bytes.length,
    report,
    milliseconds: performance.now() - start,
  };
}

export function closeModel(id: string): Promise<void> {
  return removeModel(id);
}
