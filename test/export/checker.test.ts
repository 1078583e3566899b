/** The official ONNX checker, with full and strict shape inference, on what is exported. It knows opsets up to 17. */
import { describe, expect, test } from 'vitest';
import { exportModel } from '../../export/export-model.ts';
import { serializeModel } from '../../export/serialize.ts';
import { handPrompt, randomModel, randomPrompts, runOnCpu } from './fixtures.ts';
import { everyOpGraph, wrapGraph } from './graphs.ts';
import { checkOfficially, hasOfficialChecker } from './official-checker.ts';

describe.runIf(hasOfficialChecker())('the official checker', () => {
  test('accepts every export of opset 17, and every operation', () => {
    const files = [1, 3, 5, 20].flatMap((dimension) =>
      [false, true].map((prefixes) => exportModel(randomModel(dimension), { prefixes })),
    );
    const checked = checkOfficially([...files, serializeModel(wrapGraph(everyOpGraph()))]);
    expect(checked).toHaveLength(9);
    for (const { written } of checked) expect(written).toBeGreaterThan(10);
  });
});

test.each([1, 3, 5, 20])('ONNX Runtime loads and runs every export of both opsets: D = %i', async (dimension) => {
  const prompts = dimension === 1 ? handPrompt : randomPrompts({ batch: 2, context: 3, queries: 1, dimension });
  for (const opset of [17, 21] as const) {
    for (const prefixes of [false, true]) {
      const outputs = await runOnCpu(exportModel(randomModel(dimension), { opset, prefixes }), prompts);
      expect(Object.keys(outputs)).toHaveLength(prefixes ? 2 : 1);
    }
  }
});
