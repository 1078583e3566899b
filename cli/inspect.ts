/** `icl inspect`: what a frozen model is, without running it. */
import { type Output, outputOf } from '../models/architecture.ts';
import { type CommandContext, defineCommand } from './command.ts';

const predictionWords: Readonly<Record<Output, string>> = {
  value: 'a value',
  sigmoid: 'the probability of +1; responses are -1 or +1',
  softmax: 'a probability for each class; responses are one-hot',
};

/** A file that other tools wrote: what it takes and gives, and what an adapter could make of it. */
async function inspectForeign(
  file: string,
  bytes: Uint8Array,
  asJson: boolean | undefined,
  context: CommandContext,
): Promise<number> {
  const { readForeign } = await import('../export/foreign.ts');
  const { printModel } = await import('../export/print.ts');
  const { model, opset, proposals, reason } = readForeign(file, bytes);
  const { graph, irVersion, producerName, producerVersion } = model;
  const text = printModel({ graph, irVersion, opset });
  if (asJson) {
    const { inputs, outputs } = graph;
    const producer = { name: producerName, version: producerVersion };
    await context.print(
      JSON.stringify({ foreign: true, producer, opset, irVersion, inputs, outputs, proposals, reason, graph: text }),
    );
    return 0;
  }
  await context.print(`made elsewhere, by ${`${producerName} ${producerVersion}`.trim() || 'an unknown tool'}`);
  await context.print(`opset ${opset}, IR ${irVersion}, ${bytes.length} bytes, ${graph.nodes.length} nodes`);
  await context.print('');
  for (const { title } of proposals) await context.print(`adapter: ${title}`);
  await context.print(reason ?? 'The lab, in its panel "Your model", puts such an adapter around it.');
  await context.print('');
  await context.print(text);
  return 0;
}

export const inspect = defineCommand({
  name: 'inspect',
  summary: 'show the metadata, inputs, outputs and graph of a frozen model',
  arguments: [{ name: '<model>', description: 'an ONNX file, or a run folder' }],
  options: {},
  examples: ['icl inspect runs/first/model.onnx', 'icl inspect runs/first --json'],
  async run([path], options, context) {
    const { readBytes } = await import('./shared-options.ts');
    const { printModel } = await import('../export/print.ts');
    const { isForeign } = await import('../export/metadata.ts');
    const { parseProps } = await import('../export/parse.ts');
    const { readRunnable, trainedTensors } = await import('../export/read-model.ts');
    const { file, bytes } = readBytes(path!);
    if (isForeign(parseProps(file, bytes))) return inspectForeign(file, bytes, options.json, context);
    const model = readRunnable(file, bytes);
    const { graph, metadata, opset, irVersion, sizes, hasPrefixes, architecture } = model;
    const describeValue = (value: { name: string; shape: readonly (number | string)[] }) => ({
      name: value.name,
      shape: value.shape,
    });
    const graphText = printModel(model);
    if (options.json) {
      const counts = Object.fromEntries(trainedTensors(model).map(({ name, data }) => [name, data.length]));
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
