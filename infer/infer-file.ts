/**
 * The pipeline of `icl infer`: prompts from a file, through a session, to a file of predictions. While one batch runs
 * the next is read, and no more than that one: memory does not grow with the file.
 */
import { realpathSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { classesOf, outputOf } from '../models/architecture.ts';
import { UsageError } from '../models/errors.ts';
import { isStandardStream, sizeOf } from './byte-source.ts';
import { openPredictionWriter } from './prediction-files.ts';
import { type FileFormat, formatOf, readDefaults, readPrompts } from './prompt-files.ts';
import type { PromptFileBatch } from './prompt-records.ts';
import type { InferenceSession } from './session.ts';

export interface InferProgress {
  /** Prompts answered and written so far. */
  readonly prompts: number;
  /** Bytes of the input read so far, and its size; null for standard input. */
  readonly bytesRead: number;
  readonly totalBytes: number | null;
  readonly seconds: number;
}

export interface InferFileOptions {
  readonly session: InferenceSession;
  /** The file of prompts; `-` for standard input. */
  readonly input: string;
  /** Null: by the extension, JSON Lines for standard input. */
  readonly inputFormat: FileFormat | null;
  /** The file of predictions; `-` for standard output. */
  readonly output: string;
  readonly outputFormat: FileFormat | null;
  /** Also write the predictions from the first 0..N pairs. The model must have been exported with them. */
  readonly prefixes: boolean;
  /** Most prompts in one run. */
  readonly batch: number;
  /** Largest safetensors input, in bytes. */
  readonly fileBytes: number;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly signal: AbortSignal | null;
  readonly onProgress: ((progress: InferProgress) => void) | null;
}

export const inferFileDefaults = {
  inputFormat: null,
  outputFormat: null,
  prefixes: false,
  batch: readDefaults.batch,
  fileBytes: readDefaults.fileBytes,
  signal: null,
  onProgress: null,
} as const;

export interface InferFileResult {
  readonly prompts: number;
  /** Answers given: a prompt may ask several queries. */
  readonly predictions: number;
  readonly seconds: number;
  /** True if the reader of the output went away (`| head`), and the rest was left. */
  readonly isCutShort: boolean;
}

/**
 * Answers every prompt of a file, in its order. The output file appears when all are answered; on any error, or when
 * the signal aborts, nothing is left behind.
 * @param options `session`, `input` and `output`, and whatever is to differ from {@link inferFileDefaults}.
 * @throws {DataError} for a bad prompt or a full disk. @throws {UsageError} for an unknown format or missing prefixes.
 */
export async function inferFile(
  options: Pick<InferFileOptions, 'session' | 'input' | 'output'> & Partial<InferFileOptions>,
): Promise<InferFileResult> {
  const resolved: InferFileOptions = {
    ...inferFileDefaults,
    stdin: process.stdin,
    stdout: process.stdout,
    ...options,
  };
  const { session, input, output, prefixes, stdout, signal } = resolved;
  signal?.throwIfAborted();
  checkOptions(resolved);
  const start = performance.now();
  // Aborted at the end in any case: it closes an input on which the reader may still wait.
  const stop = new AbortController();
  const forward = () => stop.abort(signal?.reason);
  signal?.addEventListener('abort', forward, { once: true });
  const inputFormat = resolved.inputFormat ?? formatOf('--prompts', input);
  const outputFormat = resolved.outputFormat ?? formatOf('--output', output);
  const writer = await openPredictionWriter({
    path: output,
    format: outputFormat,
    prefixes,
    classes: classesOf(session.model.sizes),
    stdout,
  });
  let isDone = false;
  try {
    const { sizes, architecture } = session.model;
    const { batch, fileBytes, stdin } = resolved;
    const contract = {
      dimension: sizes.dimension,
      minimumContext: architecture.minimumContext,
      classes: classesOf(sizes),
      output: outputOf(architecture, sizes),
      ...{ batch, fileBytes, stdin },
    };
    const batches = readPrompts({ path: input, format: inputFormat, ...contract, signal: stop.signal });
    const totals = { prompts: 0, predictions: 0, isCutShort: false };
    const totalBytes = sizeOf(input);
    for await (const prompts of readAhead(batches, () => stop.abort())) {
      stop.signal.throwIfAborted();
      const predictions = await session.run(prompts);
      stop.signal.throwIfAborted();
      totals.isCutShort = !(await writer.write(prompts, predictions));
      if (totals.isCutShort) break;
      totals.prompts += prompts.batch;
      totals.predictions += prompts.batch * prompts.queries;
      resolved.onProgress?.({
        prompts: totals.prompts,
        bytesRead: prompts.bytesRead,
        totalBytes,
        seconds: (performance.now() - start) / 1000,
      });
    }
    await writer.finish();
    isDone = true;
    return { ...totals, seconds: (performance.now() - start) / 1000 };
  } finally {
    signal?.removeEventListener('abort', forward);
    stop.abort();
    if (!isDone) await writer.abandon();
  }
}

/** Keeps one batch ahead of the consumer. `close` ends a wait for input that the consumer no longer wants. */
async function* readAhead(
  batches: AsyncGenerator<PromptFileBatch, void, undefined>,
  close: () => void,
): AsyncGenerator<PromptFileBatch, void, undefined> {
  const advance = () => {
    const next = batches.next();
    next.catch(() => {}); // Thrown where it is awaited; until then it is not unhandled.
    return next;
  };
  let next = advance();
  try {
    for (let result = await next; result.done !== true; result = await next) {
      next = advance();
      yield result.value;
    }
  } finally {
    close();
    await batches.return().catch(() => {});
  }
}

function checkOptions({ session, input, output, prefixes, batch }: InferFileOptions): void {
  if (!Number.isInteger(batch) || batch < 1) {
    throw new UsageError({ where: '--batch', expected: 'a whole number, 1 or more', got: String(batch) });
  }
  if (prefixes && !session.model.hasPrefixes) {
    throw new UsageError({
      where: '--prefixes',
      expected: 'a model with prefix predictions',
      got: 'one without',
      remedy: 'Export it with --prefixes.',
    });
  }
  if (!isStandardStream(input) && !isStandardStream(output) && isSameFile(input, output)) {
    throw new UsageError({ where: '--output', expected: 'another file than the prompts', got: output });
  }
}

function isSameFile(a: string, b: string): boolean {
  try {
    return sizeOf(a) !== null && realpathSync(a) === realpathSync(b);
  } catch {
    return false; // One of them is not there; what that means is said when it is opened.
  }
}
