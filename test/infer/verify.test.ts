/** Parity of every provider with the float64 reference, and that a wrong number is found. */
import { describe, expect, test } from 'vitest';
import { type ProviderName, probeProvider } from '../../infer/providers.ts';
import type { InferenceSession, Predictions } from '../../infer/session.ts';
import { toleranceFor, tolerances } from '../../infer/tolerances.ts';
import { verifyModel } from '../../infer/verify.ts';
import { sizesFor, type VerifyResult, verifySession } from '../../infer/verify-session.ts';
import type { PromptBatch } from '../../models/prompts.ts';
import { referencePrediction, referencePrefixPrediction } from '../../models/reference-ops.ts';
import { requireOrSkip } from '../require.ts';
import { useSoftwareWebgpu } from '../software-webgpu.ts';
import { frozenModel } from './models.ts';

useSoftwareWebgpu();

/** 3 batch sizes, 4 context lengths, 2 numbers of queries. */
const numCases = 24;
const numPrompts = 1 + 7 + 513;
const numPredictions = 4 * numPrompts * (1 + 5);
const numPrefixPredictions = (2 + 3 + 41 + 201) * numPrompts * (1 + 5);

describe.each(['cpu', 'wasm', 'webgpu', 'cuda'] as ProviderName[])('%s', async (provider) => {
  const probe = await probeProvider(provider);
  describe.runIf(requireOrSkip(provider, probe.available, probe.detail))('agrees with the float64 reference', () => {
    const cases = [
      { prefixes: true, dimension: 5, opset: 17 },
      { prefixes: false, dimension: 5, opset: 21 },
      { prefixes: true, dimension: 20, opset: 17 },
    ] as const;
    // In software each takes half a minute, and the first has every node of the others.
    test.each(probe.isSoftware ? cases.slice(0, 1) : cases)(
      'at all sizes: %o',
      { timeout: 240_000 },
      async ({ prefixes, dimension, opset }) => {
        const result = await verifyModel(frozenModel(dimension, { prefixes, opset }), provider);
        expect(result.worst, JSON.stringify(result)).not.toBeNull();
        expect(result).toMatchObject({ provider, ok: true, cases: numCases, allNodesOnProvider: true });
        expect(result.compared).toBe(numPredictions + (prefixes ? numPrefixPredictions : 0));
        expect(result.maxRelative).toBeLessThanOrEqual(result.tolerance.relative);
        expect(result.maxRelative).toBeGreaterThan(0);
        expect(result.runtime).toBe(probe.version);
        expect(result.adapter).toBe(probe.adapter);
      },
    );
  });
});

test('rounding may grow with the layers of a transformer, and with nothing else', () => {
  const relative = (name: string, layers?: number) =>
    toleranceFor('cpu', { architecture: { name }, sizes: layers === undefined ? {} : { options: { layers } } })
      .relative;
  expect(relative('linear-attention')).toBe(tolerances.cpu.relative);
  expect(relative('multilayer-linear-attention', 8)).toBe(tolerances.cpu.relative);
  expect(relative('transformer', 2)).toBeCloseTo(5e-5, 12);
  expect(relative('paired-transformer', 12)).toBeCloseTo(3e-4, 12);
});

test('larger models are verified at sizes that their reference can go through', () => {
  const of = (count: number) => sizesFor({ parameters: { weights: new Float32Array(count) } });
  expect(of(882)).toEqual({ batches: [1, 7, 513], contexts: [1, 2, 40, 200], queries: [1, 5] });
  expect(of(60_000)).toEqual({ batches: [1, 7, 33], contexts: [1, 2, 40, 100], queries: [1, 5] });
  expect(of(10_000_000)).toEqual({ batches: [1, 5], contexts: [1, 2, 19], queries: [1, 3] });
});

describe('what is wrong', () => {
  const model = frozenModel(3, { prefixes: true });
  const sizes = { batches: [1, 7], contexts: [1, 4], queries: [1, 2] };

  /** A session that gives the reference's own numbers, changed by `spoil`. */
  function fakeSession(spoil: (predictions: Predictions, prompts: PromptBatch) => void): InferenceSession {
    return {
      model,
      report: { provider: 'cpu', adapter: null, runtime: 'none', opset: 17, threads: 1 },
      async run(prompts) {
        const { architecture, parameters } = model;
        const predictions = {
          prediction: Float32Array.from(referencePrediction(architecture, parameters, model.sizes, prompts)),
          prefixPrediction: Float32Array.from(
            referencePrefixPrediction(architecture, parameters, model.sizes, prompts),
          ),
        };
        spoil(predictions, prompts);
        return predictions;
      },
      async close() {},
    };
  }
  const verifySpoilt = (spoil: (predictions: Predictions, prompts: PromptBatch) => void): Promise<VerifyResult> =>
    verifySession(fakeSession(spoil), sizes);

  test('nothing, when only rounded: the error is half a unit of float32', async () => {
    const result = await verifySpoilt(() => {});
    expect(result).toMatchObject({ ok: true, cases: 8 });
    expect(result.maxRelative).toBeLessThanOrEqual(2 ** -24);
  });

  test('one number: it is found, with where it was and both values', async () => {
    const result = await verifySpoilt(({ prediction }, { batch, context, queries }) => {
      if (batch === 7 && context === 4 && queries === 2) prediction[2 * 5 + 1]! += 1;
    });
    expect(result.ok).toBe(false);
    expect(result.worst).toMatchObject({ output: 'prediction', batch: 7, context: 4, queries: 2, index: [5, 1] });
    expect(result.worst!.got - result.worst!.reference).toBeCloseTo(1, 5);
    expect(result.maxAbsolute).toBeCloseTo(1, 5);
  });

  test('a prefix prediction', async () => {
    const result = await verifySpoilt(({ prefixPrediction }, { batch, context, queries }) => {
      if (batch === 7 && context === 4 && queries === 2) prefixPrediction![(6 * 5 + 2) * 2 + 1]! += 1;
    });
    expect(result.ok).toBe(false);
    expect(result.worst).toMatchObject({ output: 'prefix_prediction', index: [6, 2, 1] });
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('a %s', async (bad) => {
    const result = await verifySpoilt(({ prediction }) => {
      prediction[0] = bad;
    });
    expect(result.ok).toBe(false);
    expect(result.worst!.got).toBe(bad);
    expect(JSON.parse(JSON.stringify(result))).toMatchObject({ maxAbsolute: Number.MAX_VALUE });
  });

  test('too much for one tolerance and not for another', async () => {
    const spoil = ({ prediction }: Predictions) => {
      for (let i = 0; i < prediction.length; i++) prediction[i]! *= 1 + 10 * tolerances.cpu.relative;
    };
    expect((await verifySpoilt(spoil)).ok).toBe(false);
    const tolerance = { relative: 1e-3, absolute: 0 };
    expect(await verifySession(fakeSession(spoil), { ...sizes, tolerance })).toMatchObject({ ok: true, tolerance });
  });

  test('two sessions that differ from each other, and how far the comparison has come', async () => {
    const exact = fakeSession(() => {});
    const told: string[] = [];
    const onProgress = (done: number, cases: number) => told.push(`${done}/${cases}`);
    const same = await verifySession(
      fakeSession(() => {}),
      { ...sizes, against: exact, onProgress },
    );
    expect(same).toMatchObject({ ok: true, worst: null, maxAbsolute: 0 });
    expect(same.tolerance.relative).toBe(2 * tolerances.cpu.relative);
    expect([told[0], told.at(-1)]).toEqual(['0/8', '8/8']);
    const spoilt = fakeSession(({ prediction }) => {
      prediction[0]! += 1;
    });
    expect((await verifySession(spoilt, { ...sizes, against: exact })).ok).toBe(false);
  });

  test('a file whose parameters are not those of the reference', async () => {
    const parameters = { ...model.parameters, key_query: model.parameters['key_query']!.map((value) => value * 1.001) };
    const result = await verifyModel({ ...model, parameters }, 'cpu', sizes);
    expect(result.ok).toBe(false);
    expect(result.maxRelative).toBeGreaterThan(1e-4);
  });
});

test('a verification that is told to stop does', async () => {
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(verifyModel(frozenModel(3), 'cpu', { signal })).rejects.toThrow('enough');
});
