/**
 * Predictions to a file or standard output, in the order of the prompts: JSON Lines `{prediction}`, CSV
 * `prompt, query, prediction` (for c classes `prediction1 .. predictionc`), or safetensors `prediction`. JSON has no word for NaN or infinity and no reader expects
 * one, so a prediction that is not finite is an error in every format.
 */
import type { Writable } from 'node:stream';
import { serializeSafetensors } from '../export/safetensors.ts';
import { DataError, UsageError } from '../models/errors.ts';
import { labelAxis, responseWidth } from '../models/prompts.ts';
import { createBreather } from './breathe.ts';
import { type OutputSink, openSink } from './output-sink.ts';
import type { FileFormat } from './prompt-files.ts';
import type { PromptFileBatch } from './prompt-records.ts';
import type { Predictions } from './session.ts';

export interface PredictionWriter {
  /** Writes one batch. False if nobody reads any longer. @throws {DataError} if a prediction is not finite. */
  write(prompts: PromptFileBatch, predictions: Predictions): Promise<boolean>;
  finish(): Promise<void>;
  abandon(): Promise<void>;
}

export interface WriterOptions {
  /** The file; `-` for standard output. */
  readonly path: string;
  readonly format: FileFormat;
  /** Also write the predictions from the first 0..N pairs. */
  readonly prefixes: boolean;
  /** c: numbers in a prediction; 0: it is one number. */
  readonly classes: number;
  readonly stdout: Writable;
}

/** @throws {DataError} if the path cannot be written. @throws {UsageError} for prefixes in CSV. */
export async function openPredictionWriter({
  path,
  format,
  prefixes,
  classes,
  stdout,
}: WriterOptions): Promise<PredictionWriter> {
  if (format === 'csv' && prefixes) {
    throw new UsageError({
      where: '--prefixes',
      expected: 'an output in JSON Lines or safetensors',
      got: 'csv, which has no column for them',
    });
  }
  const sink = await openSink(path, stdout);
  const where = path === '-' ? 'standard output' : path;
  if (format === 'safetensors') return tensorWriter(where, sink, prefixes);
  return textWriter(sink, format === 'csv' ? csvFormat(classes) : jsonFormat(prefixes));
}

interface TextFormat {
  readonly header: string;
  /** The lines of prompt b of a batch. */
  lines(prompts: PromptFileBatch, predictions: Predictions, b: number): string;
}

/** Text gathered before it is written. */
const textBytes = 1 << 16;

function textWriter(sink: OutputSink, format: TextFormat): PredictionWriter {
  const breather = createBreather();
  let text = format.header;
  const flush = async (): Promise<boolean> => {
    const ready = text;
    text = '';
    return ready === '' || sink.write(ready);
  };
  return {
    async write(prompts, predictions) {
      for (let b = 0; b < prompts.batch; b++) {
        text += format.lines(prompts, predictions, b);
        if (text.length >= textBytes && !(await flush())) return false;
        if (breather.isDue()) await breather.breathe();
      }
      // A pipe's reader gets each batch when it is done.
      return flush();
    },
    async finish() {
      await flush();
      await sink.finish();
    },
    abandon: () => sink.abandon(),
  };
}

const csvFormat = (classes: number): TextFormat => ({
  header: `prompt,query,${classes === 0 ? 'prediction' : Array.from({ length: classes }, (_, k) => `prediction${k + 1}`).join()}\n`,
  lines(prompts, { prediction }, b) {
    const number = prompts.first + b;
    const name = prompts.labels === null ? String(number) : quoteCell(prompts.labels[b]!);
    const width = responseWidth(prompts);
    let text = '';
    for (let q = 0; q < prompts.queries; q++) {
      const at = (b * prompts.queries + q) * width;
      text += `${name},${q},${numbers(prediction, at, width, 'prediction', number)}\n`;
    }
    return text;
  },
});

/** Some numbers of an answer, with commas between. */
function numbers(values: Float32Array, at: number, count: number, name: string, prompt: number): string {
  let text = '';
  for (let i = 0; i < count; i++) text += `${i === 0 ? '' : ','}${requireFinite(values[at + i]!, name, prompt)}`;
  return text;
}

const quoteCell = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

const jsonFormat = (prefixes: boolean): TextFormat => ({
  header: '',
  lines(prompts, predictions, b) {
    const { queries, isPoint, context } = prompts;
    const number = prompts.first + b;
    const width = responseWidth(prompts);
    const answer = (values: Float32Array, name: string, at: number): string => {
      let text = width === 1 ? numbers(values, at, queries, name, number) : '';
      for (let q = 0; width > 1 && q < queries; q++) {
        text += `${q === 0 ? '' : ','}[${numbers(values, at + q * width, width, name, number)}]`;
      }
      return isPoint ? text : `[${text}]`;
    };
    const perPrompt = queries * width;
    const prediction = answer(predictions.prediction, 'prediction', b * perPrompt);
    if (!prefixes) return `{"prediction":${prediction}}\n`;
    const values = requirePrefixes(predictions);
    const answers = Array.from({ length: context + 1 }, (_, n) =>
      answer(values, 'prefix prediction', (b * (context + 1) + n) * perPrompt),
    );
    return `{"prediction":${prediction},"prefixPrediction":[${answers.join(',')}]}\n`;
  },
});

function requirePrefixes({ prefixPrediction }: Predictions): Float32Array {
  if (prefixPrediction !== undefined) return prefixPrediction;
  throw new UsageError({
    where: '--prefixes',
    expected: 'a session that gives prefix predictions',
    got: 'one without',
    remedy: 'Export the model with --prefixes.',
  });
}

function requireFinite(value: number, name: string, prompt: number): number {
  if (value - value === 0) return value;
  throw new DataError({
    where: `${name} of prompt ${prompt}`,
    expected: 'a finite number',
    got: String(value),
    remedy: 'The prompt is too large for the model in float32. Scale it down.',
  });
}

/** Most bytes of predictions that a safetensors file may hold: its header needs their number, so they are kept. */
const tensorBytes = 1 << 30;

function tensorWriter(where: string, sink: OutputSink, prefixes: boolean): PredictionWriter {
  const parts: Predictions[] = [];
  let shape: PromptFileBatch | undefined;
  let prompts = 0;
  let bytes = 0;
  return {
    async write(batch, predictions) {
      shape ??= batch;
      requireSameShape(where, shape, batch, prefixes);
      const prefixPrediction = prefixes ? requirePrefixes(predictions) : new Float32Array(0);
      for (const [name, values] of Object.entries({ prediction: predictions.prediction, prefixPrediction })) {
        const perPrompt = values.length / batch.batch;
        const at = values.findIndex((value) => value - value !== 0);
        if (at >= 0) requireFinite(values[at]!, name, batch.first + Math.floor(at / perPrompt));
        bytes += values.byteLength;
      }
      if (bytes > tensorBytes) {
        throw new DataError({
          where,
          expected: `at most ${tensorBytes} bytes of predictions in safetensors`,
          got: 'more',
          remedy: 'Write JSON Lines.',
        });
      }
      parts.push({ prediction: predictions.prediction, prefixPrediction });
      prompts += batch.batch;
      return true;
    },
    async finish() {
      const { queries, context, isPoint } = shape!;
      const tail = [...(isPoint ? [] : [queries]), ...labelAxis(shape!)];
      const prediction = { shape: [prompts, ...tail], data: join(parts.map((part) => part.prediction)) };
      const prefixPrediction = {
        shape: [prompts, context + 1, ...tail],
        data: join(parts.map((part) => part.prefixPrediction!)),
      };
      const tensors = prefixes ? { prediction, prefix_prediction: prefixPrediction } : { prediction };
      await sink.write(serializeSafetensors(tensors, {}));
      await sink.finish();
    },
    abandon: () => sink.abandon(),
  };
}

function requireSameShape(where: string, a: PromptFileBatch, b: PromptFileBatch, prefixes: boolean): void {
  const isSame = a.queries === b.queries && a.isPoint === b.isPoint && (!prefixes || a.context === b.context);
  if (isSame) return;
  throw new DataError({
    where,
    expected: `prompts of one shape, as one tensor needs`,
    got: `another number of ${a.queries === b.queries && a.isPoint === b.isPoint ? 'pairs' : 'queries'} from prompt ${b.first} on`,
    remedy: 'Write JSON Lines.',
  });
}

function join(parts: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
