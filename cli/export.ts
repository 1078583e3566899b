/** `icl export`: a finished run becomes an ONNX file. */

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
    output: option('-o, --output <file>', 'the ONNX file to write (default: model.onnx in the run folder)', text),
    opset: option('--opset <n>', 'ONNX operator set, 17 or 21; 17 runs everywhere', parseOpset, 17),
    prefixes: toggle('--prefixes', 'add the output prefix_prediction: the prediction from every prefix of the context'),
  },
  examples: ['icl export runs/first -o model.onnx', 'icl export runs/first -o curve.onnx --prefixes'],
  async run([run], options, context) {
    const { exportRun } = await import('../studies/run-study.ts');
    const { join } = await import('node:path');
    const output = options.output ?? join(run!, 'model.onnx');
    const model = exportRun(run!, { opset: options.opset, prefixes: options.prefixes }, output);
    const summary = {
      model: output,
      opset: model.opset,
      bytes: model.bytes.length,
      nodes: model.graph.nodes.length,
    };
    await context.print(
      options.json
        ? JSON.stringify(summary)
        : `${summary.model}: opset ${summary.opset}, ${summary.nodes} nodes, ${summary.bytes} bytes`,
    );
    return 0;
  },
});
