/** `icl infer`: predictions of a frozen model for given prompts, streamed. */

import { UsageError, unknownName } from '../models/errors.ts';
import { defineCommand, option, text, toggle, wholeNumber } from './command.ts';
import { startProgress } from './progress.ts';
import { providerOption, threadsOption } from './shared-options.ts';

const formats = ['jsonl', 'csv', 'safetensors'] as const;
type Format = (typeof formats)[number];

function parseFormat(value: string): Format {
  const found = formats.find((format) => format === value);
  if (found === undefined) throw unknownName('--format', value, formats);
  return found;
}

export const infer = defineCommand({
  name: 'infer',
  summary: 'answer prompts from a file or stdin with a frozen model',
  description:
    'Answer prompts with a frozen model. Prompts are JSON Lines ({covariates, responses, query}, query one point or a list), ' +
    'CSV (columns prompt, role, x1..xd, y or y1..yc; role context or query) or safetensors (covariates, responses, query). ' +
    'They are streamed: memory does not grow with their number.',
  arguments: [{ name: '<model>', description: 'an ONNX file, or a run folder' }],
  options: {
    prompts: option('--prompts <file>', 'the prompts; - is stdin', text),
    output: option('-o, --output <file>', 'the predictions; - is stdout', text, '-'),
    format: option(
      '--format <f>',
      `format of the prompts: ${formats.join(', ')} (default: by the file name; stdin: jsonl)`,
      parseFormat,
    ),
    outputFormat: option(
      '--output-format <f>',
      `format of the predictions: ${formats.join(', ')} (default: by the file name; stdout: jsonl)`,
      parseFormat,
    ),
    provider: providerOption,
    threads: threadsOption,
    batch: option('--batch <n>', 'prompts per run', wholeNumber('--batch', 1), 1024),
    prefixes: toggle(
      '--prefixes',
      'also give the prediction from every prefix of the context (the model must have them)',
    ),
  },
  examples: [
    'icl infer runs/first --prompts prompts.jsonl -o predictions.jsonl',
    'cat prompts.jsonl | icl infer model.onnx --prompts - --provider wasm',
    'icl infer model.onnx --prompts prompts.csv -o predictions.csv',
  ],
  async run([path], options, context) {
    if (options.prompts === undefined) {
      throw new UsageError({ where: '--prompts', expected: 'a file, or - for stdin', got: 'nothing' });
    }
    const { readRunnableFile } = await import('./shared-options.ts');
    const { openSession } = await import('../infer/session-node.ts');
    const { inferFile } = await import('../infer/infer-file.ts');
    const model = readRunnableFile(path!);
    const session = await openSession(model, {
      provider: options.provider,
      ...(options.threads === undefined ? {} : { threads: options.threads }),
      prefixes: options.prefixes,
    });
    const progress = startProgress(context, 'infer', undefined);
    try {
      const result = await inferFile({
        session,
        input: options.prompts,
        output: options.output,
        ...(options.format === undefined ? {} : { inputFormat: options.format }),
        ...(options.outputFormat === undefined ? {} : { outputFormat: options.outputFormat }),
        batch: options.batch,
        prefixes: options.prefixes,
        signal: context.signal,
        onProgress: ({ prompts }) => progress.update(prompts, 'prompts'),
      });
      const { provider, adapter, runtime } = session.report;
      const rate = Math.round(result.prompts / result.seconds);
      context.log(
        `${result.prompts} prompts in ${result.seconds.toFixed(1)} s (${rate} per second) on ${provider}${adapter === null ? '' : ` (${adapter})`}, ${runtime}`,
      );
      return 0;
    } finally {
      progress.stop();
      await session.close();
    }
  },
});
