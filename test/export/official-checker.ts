/** The official ONNX checker with full and strict shape inference, in Python. It knows opsets up to 17. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireOrSkip } from '../require.ts';
import { runPython } from './fixtures.ts';

/** Inference starts a second time without the types we wrote: a second opinion on them. */
const program = `
import sys, onnx
from onnx import checker, shape_inference
for path in sys.argv[1:]:
    model = onnx.load(path)
    checker.check_model(model, full_check=True)
    shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    written = {v.name: v.type.tensor_type for v in model.graph.value_info}
    del model.graph.value_info[:]
    for output in model.graph.output:
        output.type.tensor_type.ClearField('shape')
    inferred = shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    compared = 0
    for value in inferred.graph.value_info:
        if value.name not in written:
            continue
        ours, theirs = written[value.name], value.type.tensor_type
        assert ours.elem_type == theirs.elem_type, value.name
        assert len(ours.shape.dim) == len(theirs.shape.dim), value.name
        for a, b in zip(ours.shape.dim, theirs.shape.dim):
            if b.HasField('dim_value'):
                assert a.dim_value == b.dim_value, value.name
        compared += 1
    keys = [p.key for p in model.metadata_props]
    assert keys == sorted(keys), keys
    print(len(written), compared)
`;

/** Whether the checker is here; a skip is printed, see `requireOrSkip`. */
export function hasOfficialChecker(): boolean {
  const probe = runPython('import onnx; print(onnx.__version__)');
  return requireOrSkip('onnx-checker', probe.ok, `${probe.text} (Debian: apt install python3-onnx)`);
}

/**
 * Checks files, given as bytes.
 * @returns for each, how many types of interior values it has written down, and how many the checker compared.
 * @throws {Error} with the checker's words if it refuses one.
 */
export function checkOfficially(
  files: readonly Uint8Array[],
): { readonly written: number; readonly compared: number }[] {
  const folder = mkdtempSync(join(tmpdir(), 'icl-checker-'));
  try {
    const paths = files.map((bytes, i) => {
      const path = join(folder, `${i}.onnx`);
      writeFileSync(path, bytes);
      return path;
    });
    const { ok, text } = runPython(program, ...paths);
    if (!ok) throw new Error(text);
    return text
      .trim()
      .split('\n')
      .map((line) => {
        const [written, compared] = line.split(' ').map(Number);
        return { written: written!, compared: compared! };
      });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
