/** The official ONNX checker, with full and strict shape inference, on what is exported. It knows opsets up to 17. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exportModel } from '../../export/export-model.ts';
import { serializeModel } from '../../export/serialize.ts';
import { requireOrSkip } from '../require.ts';
import { handPrompt, randomModel, randomPrompts, runOnCpu, runPython } from './fixtures.ts';
import { everyOpGraph, wrapGraph } from './graphs.ts';

const probe = runPython('import onnx; print(onnx.__version__)');

/** Prints each file's inferred output shapes; inference starts without the types we wrote, so it is a second opinion. */
const program = `
import sys, onnx
from onnx import checker, shape_inference
for path in sys.argv[1:]:
    model = onnx.load(path)
    checker.check_model(model, full_check=True)
    shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    written = {v.name: v.type.tensor_type for v in model.graph.value_info}
    assert len(written) > 10
    del model.graph.value_info[:]
    for output in model.graph.output:
        output.type.tensor_type.ClearField('shape')
    inferred = shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    for value in inferred.graph.value_info:
        if value.name in written:
            ours = written[value.name]
            theirs = value.type.tensor_type
            assert ours.elem_type == theirs.elem_type, value.name
            assert len(ours.shape.dim) == len(theirs.shape.dim), value.name
            for a, b in zip(ours.shape.dim, theirs.shape.dim):
                if b.HasField('dim_value'):
                    assert a.dim_value == b.dim_value, value.name
    keys = [p.key for p in model.metadata_props]
    assert keys == sorted(keys), keys
    print('ok', len(written))
`;

describe.runIf(requireOrSkip('onnx-checker', probe.ok, `${probe.text} (Debian: apt install python3-onnx)`))(
  'the official checker',
  () => {
    test('accepts every export of opset 17, and every operation', () => {
      const folder = mkdtempSync(join(tmpdir(), 'icl-checker-'));
      const paths = [1, 3, 5, 20].flatMap((dimension) =>
        [false, true].map((prefixes) => {
          const path = join(folder, `${dimension}-${prefixes}.onnx`);
          writeFileSync(path, exportModel(randomModel(dimension), { prefixes }));
          return path;
        }),
      );
      paths.push(join(folder, 'every-op.onnx'));
      writeFileSync(paths.at(-1)!, serializeModel(wrapGraph(everyOpGraph())));
      const { ok, text } = runPython(program, ...paths);
      rmSync(folder, { recursive: true });
      expect(text).toMatch(/^(ok \d+\n){9}$/);
      expect(ok).toBe(true);
    });
  },
);

test.each([1, 3, 5, 20])('ONNX Runtime loads and runs every export of both opsets: D = %i', async (dimension) => {
  const prompts = dimension === 1 ? handPrompt : randomPrompts({ batch: 2, context: 3, queries: 1, dimension });
  for (const opset of [17, 21] as const) {
    for (const prefixes of [false, true]) {
      const outputs = await runOnCpu(exportModel(randomModel(dimension), { opset, prefixes }), prompts);
      expect(Object.keys(outputs)).toHaveLength(prefixes ? 2 : 1);
    }
  }
});
