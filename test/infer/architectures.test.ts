/** Every architecture on every provider, at contexts that are shorter and longer than what it has positions for. */
import { describe, expect, test } from 'vitest';
import { exportModel } from '../../export/export-model.ts';
import { readModel } from '../../export/read-model.ts';
import { type ProviderName, probeProvider } from '../../infer/providers.ts';
import { verifyModel } from '../../infer/verify.ts';
import { variants } from '../models/attention/variants.ts';
import { requireOrSkip } from '../require.ts';
import { useSoftwareWebgpu } from '../software-webgpu.ts';

useSoftwareWebgpu();

describe.each(['cpu', 'wasm', 'webgpu', 'cuda'] as ProviderName[])('%s', async (provider) => {
  const probe = await probeProvider(provider);
  describe.runIf(requireOrSkip(provider, probe.available, probe.detail))('agrees with the float64 reference', () => {
    test.each(variants)('$name', { timeout: 120_000 }, async ({ architecture, sizes, parameters, task }) => {
      const model = readModel(
        'file',
        exportModel(
          {
            architecture,
            sizes,
            parameters,
            study: 'none',
            task,
            config: {},
            training: {},
          },
          { prefixes: architecture.prefixForward !== undefined },
        ),
      );
      const options = { batches: [1, 5], contexts: [1, 13], queries: [1, 3] };
      const result = await verifyModel(model, provider, options);
      expect(result, JSON.stringify(result)).toMatchObject({ ok: true, allNodesOnProvider: true });
    });
  });
});
