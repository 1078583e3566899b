/** `icl inspect`: what a frozen model is, without running it. */
import { type Output, outputOf } from '../models/architecture.ts';
import { defineCommand } from './command.ts';

const predictionWords: Readonly<Record<Output, string>> = {
  value: 'a value',
  sigmoid: 'the probability of +1; responses are -1 or +1',
  softmax: 'a probability for each class; responses are one-hot',
};

export const inspect = defineCommand({
  name: 'inspect',
  summary: 'show the metadata, inputs, outputs and graph of a frozen model',
  arguments: [{ name: '<model>', description: 'an ONNX file, or a run folder' }],
  options: {},
  examples: ['icl inspect runs/first/model.onnx', 'icl inspect runs/first --json'],
  async run([path], options, context) {
    const { readModelFile } = await import('./shared-options.ts');
    const { printModel } = await import('../export/print.ts');
    const model = readModelFile(path!);
    const { graph, metadata, opset, irVersion, sizes, parameters, bytes, hasPrefixes, architecture } = model;
    const describeValue = (value: { name: string; shape: readonly (number | string)[] }) => ({
      name: value.name,
      shape: value.shape,
    });
    const graphText = printModel(model);
    if (options.json) {
      const counts = Object.fromEntries(Object.entries(parameters).map(([name, values]) => [name, values.length]));
      await context.print(
        JSON.stringify({
          metadata,
          opset,
          irVersion,
          bytes: bytes.length,
          sizes,
          hasPrefixes,
          output: outputOf(architecture, sizes),
          inputs: graph.inputs.map(describeValue),
          outputs: graph.outputs.map(describeValue),
          nodes: graph.nodes.length,
          parameters: counts,
          graph: graphText,
        }),
      );
      return 0;
    }
    await context.print(`${architecture.description}, trained for ${metadata.study}`);
    await context.print(`prediction: ${predictionWords[outputOf(architecture, sizes)]}`);
    await context.print(`opset ${opset}, IR ${irVersion}, ${bytes.length} bytes, ${graph.nodes.length} nodes`);
    await context.print('');
    for (const [key, value] of Object.entries(metadata)) {
      if (value !== null) {
        await context.print(`${key.padEnd(14)} ${typeof value === 'string' ? value : JSON.stringify(value)}`);
      }
    }
    await context.print('');
    await context.print(graphText);
    return 0;
  },
});
