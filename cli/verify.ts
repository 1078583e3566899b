/** `icl verify`: every provider against the float64 reference. Exit code 1 above tolerance. */
import { commaList, defineCommand, option, toggle } from './command.ts';
import { providerName } from './shared-options.ts';
import { formatNumber, formatTable } from './table.ts';

export const verify = defineCommand({
  name: 'verify',
  summary: 'compare every provider with the float64 reference at several prompt sizes',
  arguments: [{ name: '<model>', description: 'an ONNX file, or a run folder' }],
  options: {
    provider: option(
      '--provider <p,...>',
      'providers to verify; each that is named must work here',
      commaList('--provider', providerName('--provider')),
      undefined,
      'every provider that works here',
    ),
    record: toggle('--record', "write the worst errors into the file's metadata, as icl.parity"),
  },
  examples: ['icl verify runs/first', 'icl verify model.onnx --provider cpu,wasm,webgpu --record'],
  async run([path], options, context) {
    const { readModelFile, modelFile } = await import('./shared-options.ts');
    const { probeProviders, resolveProvider } = await import('../infer/providers.ts');
    const { verifyModel } = await import('../infer/verify.ts');
    const model = readModelFile(path!);
    const requested =
      options.provider ?? (await probeProviders()).filter(({ available }) => available).map(({ name }) => name);
    const results = [];
    for (const name of requested) {
      const result = await verifyModel(model, await resolveProvider(name), { signal: context.signal });
      results.push(result);
      if (options.json) await context.print(JSON.stringify(result));
    }
    if (!options.json) {
      const rows = results.map((result) => [
        result.provider,
        result.ok ? 'ok' : 'FAILED',
        formatNumber(result.maxAbsolute),
        formatNumber(result.maxRelative),
        String(result.cases),
        `${result.runtime}${result.adapter === null ? '' : `, ${result.adapter}`}`,
      ]);
      await context.print(
        formatTable(
          [
            { title: 'provider' },
            { title: '' },
            { title: 'max absolute', align: 'right' },
            { title: 'max relative', align: 'right' },
            { title: 'shapes', align: 'right' },
            { title: 'runtime' },
          ],
          rows,
        ),
      );
    }
    if (options.record) {
      const { recordParity } = await import('../studies/run-study.ts');
      recordParity(modelFile(path!), results);
      context.log(`recorded in ${modelFile(path!)}`);
    }
    return results.every(({ ok }) => ok) ? 0 : 1;
  },
});
