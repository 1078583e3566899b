/** `icl export`: a finished run becomes an ONNX file. */

import { join } from 'node:path';
import { UsageError } from '../models/errors.ts';
import { defineCommand, option, text, toggle } from './command.ts';

function parseOpset(value: string): 17 | 21 {
  if (value !== '17' && value !== '21') {
    throw new UsageError({ where: '--opset', expected: '17 or 21', got: JSON.stringify(value) });
  }
  return value === '17' ? 17 : 21;
}

export const exportCommand = defineCommand({
  name: 'export',
  summary: 'serialize the trained parameters of a run as an ONNX graph',
  arguments: [{ name: '<run>', description: 'a run folder' }],
  options: {
    output: option(
      '-o, --output <file>',
      'the ONNX file to write (default: model.onnx or training-step.onnx in the run folder)',
      text,
    ),
    opset: option('--opset <n>', 'ONNX operator set, 17 or 21; 17 runs everywhere', parseOpset, 17),
    prefixes: toggle('--prefixes', 'add the output prefix_prediction: the prediction from every prefix of the context'),
    trainingStep: toggle('--training-step', 'write one training step (loss, gradient, update) instead of the model'),
  },
  examples: [
    'icl export runs/first -o model.onnx',
    'icl export runs/first -o curve.onnx --prefixes',
    'icl export runs/first -o step.onnx --training-step',
  ],
  async run([run], options, context) {
    const summary = options.trainingStep ? await exportStep(run!, options) : await exportModel(run!, options);
    await context.print(
      options.json
        ? JSON.stringify(summary)
        : `${summary.model}: opset ${summary.opset}, ${summary.nodes} nodes, ${summary.bytes} bytes`,
    );
    return 0;
  },
});

interface Choices {
  readonly output: string | undefined;
  readonly opset: 17 | 21;
  readonly prefixes: boolean;
}

interface Summary {
  readonly model: string;
  readonly opset: number;
  readonly bytes: number;
  readonly nodes: number;
}

async function exportModel(run: string, { output, opset, prefixes }: Choices): Promise<Summary> {
  const { exportRun } = await import('../studies/run-study.ts');
  const path = output ?? join(run, 'model.onnx');
  const model = exportRun(run, { opset, prefixes }, path);
  return { model: path, opset: model.opset, bytes: model.bytes.length, nodes: model.graph.nodes.length };
}

async function exportStep(run: string, { output, opset, prefixes }: Choices): Promise<Summary> {
  if (prefixes) {
    throw new UsageError({
      where: '--prefixes',
      expected: 'a model to export',
      got: '--training-step',
      remedy: 'A training step predicts nothing: leave one of the two out.',
    });
  }
  const { writeTrainingStep } = await import('../train/export-step.ts');
  const path = output ?? join(run, 'training-step.onnx');
  return { model: path, ...writeTrainingStep(run, opset, path) };
}
