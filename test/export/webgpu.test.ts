/** Every node this folder makes runs on a GPU: sessions that may not fall back to the CPU, on any adapter there is. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { exportModel } from '../../export/export-model.ts';
import { serializeModel } from '../../export/serialize.ts';
import { linearAttention } from '../../models/attention/linear-attention.ts';
import { fromFlat, referenceOps, referencePrediction, referencePrefixPrediction } from '../../models/reference-ops.ts';
import { requireOrSkip } from '../require.ts';
import { expectClose } from '../tolerance.ts';
import { everyOp } from './every-op.ts';
import {
  handModel,
  handPrediction,
  handPrefixPrediction,
  handPrompt,
  normals,
  randomModel,
  randomPrompts,
} from './fixtures.ts';
import { everyOpGraph, wrapGraph } from './graphs.ts';

interface Tensor {
  readonly dims: readonly number[];
  readonly data: ArrayLike<number>;
}

interface Job {
  readonly model: Uint8Array;
  readonly feeds: Readonly<Record<string, Tensor>>;
}

/** Outputs of each job, or why there are none. */
function runStrictly(jobs: readonly Job[]): Record<string, Tensor>[] | string {
  const folder = mkdtempSync(join(tmpdir(), 'icl-webgpu-'));
  const listed = jobs.map(({ model, feeds }, i) => {
    const path = join(folder, `${i}.onnx`);
    writeFileSync(path, model);
    const entries = Object.entries(feeds).map(([name, { dims, data }]) => [name, { dims, data: Array.from(data) }]);
    return { model: path, feeds: Object.fromEntries(entries) };
  });
  writeFileSync(join(folder, 'jobs.json'), JSON.stringify(listed));
  // Where there is no GPU, Debian's chromium brings a software one.
  const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';
  const hasOwn = process.env['VK_ICD_FILENAMES'] !== undefined || !existsSync(swiftShader);
  const script = fileURLToPath(new URL('run-strict-webgpu.mjs', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, join(folder, 'jobs.json')], {
    encoding: 'utf8',
    env: { ...process.env, ...(hasOwn ? {} : { VK_ICD_FILENAMES: swiftShader }) },
    timeout: 50_000,
  });
  rmSync(folder, { recursive: true });
  return status === 0 ? (JSON.parse(stdout) as Record<string, Tensor>[]) : stderr.trim().slice(0, 600);
}

const jobOf = (model: Uint8Array, prompts: typeof handPrompt): Job => {
  const { batch, context, queries, dimension } = prompts;
  return {
    model,
    feeds: {
      covariates: { dims: [batch, context, dimension], data: prompts.covariates },
      responses: { dims: [batch, context], data: prompts.responses },
      query: { dims: [batch, queries, dimension], data: prompts.query },
    },
  };
};

const handJobs = [17, 21].map((opset) =>
  jobOf(exportModel(handModel, { opset: opset as 17 | 21, prefixes: true }), handPrompt),
);
const randomCases = [3, 20].map((dimension) => {
  const model = randomModel(dimension);
  return { model, prompts: randomPrompts({ batch: 3, context: 11, queries: 2, dimension }) };
});
const x = { dims: [2, 5, 3], data: normals(30, 1) };
const y = { dims: [2, 5], data: normals(10, 2) };
const everyOpModel = everyOpGraph();

// One process for all of it: starting a driver takes seconds.
const results = runStrictly([
  ...handJobs,
  ...randomCases.map(({ model, prompts }) => jobOf(exportModel(model, { prefixes: true }), prompts)),
  { model: serializeModel(wrapGraph(everyOpModel)), feeds: { x, y } },
]);

describe.runIf(requireOrSkip('webgpu', typeof results !== 'string', String(results)))('wholly on WebGPU', () => {
  const outputsOf = (job: number) => (results as Record<string, Tensor>[])[job]!;

  test.each([0, 1])('a prompt solved by hand, with prefixes: job %i', (job) => {
    expect(outputsOf(job)['prediction']).toEqual({ dims: [1, 1], data: [handPrediction] });
    expect(outputsOf(job)['prefix_prediction']).toEqual({ dims: [1, 3, 1], data: handPrefixPrediction });
  });

  test.each([0, 1])('random models: case %i', (index) => {
    const { model, prompts } = randomCases[index]!;
    const { parameters, sizes } = model;
    const expected = referencePrediction(linearAttention, parameters, sizes, prompts);
    const curve = referencePrefixPrediction(linearAttention, parameters, sizes, prompts);
    const size = Math.sqrt(curve.reduce((sum, value) => sum + value * value, 0) / curve.length);
    const tolerance = { relative: 1e-4, absolute: 1e-5 * size };
    expectClose(outputsOf(2 + index)['prediction']!.data, expected, tolerance);
    expectClose(outputsOf(2 + index)['prefix_prediction']!.data, curve, tolerance);
  });

  test('every operation of Ops', () => {
    const expected = everyOp(referenceOps, fromFlat(x.dims, x.data), fromFlat(y.dims, y.data));
    for (const { name } of everyOpModel.outputs) {
      expect(outputsOf(4)[name]!.dims, name).toEqual(expected[name]!.shape);
      expectClose(outputsOf(4)[name]!.data, expected[name]!.data, { relative: 1e-4, absolute: 1e-5 });
    }
  });
});
