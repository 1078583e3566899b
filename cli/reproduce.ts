/** `icl reproduce`: a paper's figures, measured points on theoretical curves, as data, SVG and a report. */

import { UsageError } from '../models/errors.ts';
import { deviceNames } from '../train/engine-table.ts';
import { defineCommand, option, text, toggle } from './command.ts';
import { startProgress } from './progress.ts';
import { allStudies, reproduceAllStudies } from './reproduce-all.ts';
import { seedOption, setOption, verifyOption } from './shared-options.ts';

export const reproduce = defineCommand({
  name: 'reproduce',
  summary: "draw a paper's figures from models trained here: data, SVG and a report",
  arguments: [
    { name: '<study>', description: 'a study, such as zhang2023, or all: one after the other' },
    {
      name: '[figure]',
      description: 'one figure of it, or all (default: all, with --quick without those that take long)',
    },
  ],
  options: {
    quick: toggle('--quick', 'a smaller version that a plain CPU finishes within minutes'),
    set: setOption,
    seed: seedOption(0),
    out: option('--out <folder>', 'where to write (default: runs/<study>; for all studies: runs)', text),
    device: option('--device <d>', `where to train: ${deviceNames.join(', ')} or auto`, text, 'auto'),
    verify: verifyOption,
    results: option('--results <file>', 'with all: write a page of results (Markdown) and its figures', text),
  },
  examples: [
    'icl reproduce zhang2023 --quick',
    'icl reproduce zhang2023 length --set d=10 --out runs/d10',
    'icl reproduce all --quick --results docs/results.md',
  ],
  async run([name, figure], options, context) {
    if (name === allStudies) {
      const {
        quick: isQuick,
        seed,
        device,
        verify: verifyProviders,
        set: assignments,
        results,
        json: isJson,
      } = options;
      const folder = options.out ?? 'runs';
      const request = { isQuick, seed, device, verifyProviders, assignments, figure, folder, results, isJson };
      return reproduceAllStudies(request, context);
    }
    if (options.results !== undefined) {
      throw new UsageError({ where: '--results', expected: 'the word all as the study', got: name! });
    }
    const { studyNamed } = await import('../studies/index.ts');
    const { parseSettings } = await import('../studies/settings.ts');
    const { formatSummary } = await import('../studies/summary.ts');
    const study = studyNamed(name!);
    const settings = parseSettings(study, options.set);
    const progress = startProgress(context, 'reproduce', 100);
    try {
      const result = await study.reproduce({
        settings,
        figure,
        isQuick: options.quick,
        seed: options.seed,
        folder: options.out ?? `runs/${study.name}`,
        device: options.device,
        verifyProviders: options.verify,
        signal: context.signal,
        onProgress: ({ fraction, detail }) => progress.update(Math.round(100 * fraction), detail),
      });
      progress.stop();
      if (options.json) {
        for (const row of result.rows) await context.print(JSON.stringify(row));
        await context.print(JSON.stringify({ files: result.files }));
      } else {
        for (const line of formatSummary(result)) await context.print(line);
      }
      return 0;
    } finally {
      progress.stop();
    }
  },
});
