/** `icl reproduce`: a paper's figures, measured points on theoretical curves, as data, SVG and a report. */
import { deviceNames } from '../train/engine-table.ts';
import { defineCommand, option, text, toggle } from './command.ts';
import { startProgress } from './progress.ts';
import { seedOption, setOption, verifyOption } from './shared-options.ts';

export const reproduce = defineCommand({
  name: 'reproduce',
  summary: "draw a paper's figures from models trained here: data, SVG and a report",
  arguments: [
    { name: '<study>', description: 'a study, such as zhang2023' },
    { name: '[figure]', description: 'one figure of it (default: all)' },
  ],
  options: {
    quick: toggle('--quick', 'a smaller version that a plain CPU finishes within a minute'),
    set: setOption,
    seed: seedOption(0),
    out: option('--out <folder>', 'where to write (default: runs/<study>)', text),
    device: option('--device <d>', `where to train: ${deviceNames.join(', ')} or auto`, text, 'auto'),
    verify: verifyOption,
  },
  examples: ['icl reproduce zhang2023 --quick', 'icl reproduce zhang2023 length --set d=10 --out runs/d10'],
  async run([name, figure], options, context) {
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
