/** The built-in models: every file is what its recipe says, has its parity in it, and is small; some are made again. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type FrozenModel, readModel } from '../../export/read-model.ts';
import { taskNamed } from '../../models/tasks/index.ts';
import { buildModel, configOf } from '../../scripts/build-lab-models.ts';
import { type ModelId, recipes } from '../../studies/built-in-models.ts';
import { studies } from '../../studies/index.ts';
import { catalogue } from '../../web/catalogue.ts';

const folder = new URL('../../web/models/', import.meta.url);
const ids = Object.keys(recipes) as ModelId[];

const read = (id: ModelId): FrozenModel => readModel(`${id}.onnx`, readFileSync(new URL(`${id}.onnx`, folder)));

/** Bytes. A page loads one of them, a clone of the repository all. */
const largest = { linear: 12_000, transformer: 160_000, all: 400_000 };

test('there is one file for each recipe, and an entry in the catalogue', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.onnx'));
  expect(files.sort()).toEqual(ids.map((id) => `${id}.onnx`).sort());
  expect(catalogue.map(({ id }) => id).sort()).toEqual([...ids].sort());
});

test('all five studies are there, and every panel has models of its task', () => {
  expect(new Set(catalogue.map(({ study }) => study))).toEqual(new Set(studies.map(({ name }) => name)));
  const tasks = {
    'playground-regression': ['linear-regression', 'feature-regression', 'linear-regression-bank'],
    'playground-mixture': ['gaussian-mixture'],
    'playground-markov': ['markov-chain'],
  };
  for (const { id, panels } of catalogue) {
    const { task } = configOf(recipes[id]);
    expect(panels, id).toContain('robustness');
    for (const [panel, names] of Object.entries(tasks)) {
      if ((panels as readonly string[]).includes(panel)) expect(names, `${id} in ${panel}`).toContain(task.name);
    }
    // Points are placed in a plane.
    if (panels.some((panel) => panel === 'playground-regression' || panel === 'playground-mixture')) {
      expect(task.dimension, id).toBe(2);
    }
    expect(taskNamed(task.name).estimators.length, id).toBeGreaterThan(0);
  }
});

test('together they are small', () => {
  const total = ids.reduce((sum, id) => sum + read(id).bytes.length, 0);
  expect(total).toBeLessThan(largest.all);
});

describe.each(ids)('%s', (id) => {
  test('reads, and is what its recipe says', () => {
    const { metadata, architecture, hasPrefixes, bytes } = read(id);
    const config = configOf(recipes[id]);
    // Versions are those of the machine that made the file.
    expect({ ...(metadata.config as object), versions: null }).toEqual({ ...config, versions: null });
    expect(metadata.study).toBe(recipes[id].study);
    expect(metadata.task).toEqual(config.task);
    expect(architecture.name).toBe(config.model.name);
    expect(hasPrefixes).toBe(architecture.prefixForward !== undefined);
    expect(metadata.training).toMatchObject({ steps: config.steps, device: 'cpu' });
    expect(bytes.length).toBeLessThan(architecture.name === 'transformer' ? largest.transformer : largest.linear);
  });

  test('has a good parity on the processor and in WebAssembly', () => {
    expect(read(id).metadata.parity).toEqual([
      expect.objectContaining({ provider: 'cpu', ok: true }),
      expect.objectContaining({ provider: 'wasm', ok: true }),
    ]);
  });
});

describe('made again', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'icl-lab-models-test-'));
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  // One that is solved for, and one that is descended to in 10 steps.
  test.each(['lu2024-20d-few-tasks', 'huang2023-2d-early'] as const)('%s has the same parameters', async (id) => {
    const { frozen } = await buildModel(id, join(scratch, id), []);
    const stored = read(id).parameters;
    expect(Object.keys(frozen.parameters)).toEqual(Object.keys(stored));
    for (const [name, values] of Object.entries(frozen.parameters)) {
      // Processors add in another order: some float32 roundings over 10 steps, in numbers of order 1.
      values.forEach((value, i) => {
        expect(Math.abs(value - stored[name]![i]!)).toBeLessThan(1e-5);
      });
    }
  });
});
