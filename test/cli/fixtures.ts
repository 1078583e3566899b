/** A small frozen model whose predictions are known in closed form, written where a test wants it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type ExportOptions, exportModel } from '../../export/export-model.ts';
import { linearAttention } from '../../models/attention/linear-attention.ts';

/** A folder of its own, removed when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'icl-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** W^PV and W^KQ of the one-gradient-step model: prediction = x_q^T (1/N) sum y_i x_i. */
export function gradientStepParameters(dimension: number): Record<string, Float32Array> {
  const side = dimension + 1;
  const projectionValue = new Float32Array(side * side);
  projectionValue[side * side - 1] = 1;
  const keyQuery = new Float32Array(side * side);
  for (let i = 0; i < dimension; i++) keyQuery[i * side + i] = 1;
  return { projection_value: projectionValue, key_query: keyQuery };
}

/** Writes that model as `model.onnx` into a folder and gives its path. */
export function writeModel(folder: string, dimension: number, options: Partial<ExportOptions> = {}): string {
  const bytes = exportModel(
    {
      architecture: linearAttention,
      sizes: { dimension },
      parameters: gradientStepParameters(dimension),
      study: 'zhang2023',
      task: {
        name: 'linear-regression',
        dimension,
        covariance: { kind: 'identity' },
        taskCovariance: { kind: 'identity' },
        noiseVariance: 0,
      },
      config: { contextLength: 20 },
      training: {},
    },
    options,
  );
  const path = join(folder, 'model.onnx');
  writeFileSync(path, bytes);
  return path;
}
