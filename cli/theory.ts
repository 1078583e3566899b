/** `icl theory`: a paper's closed forms at given settings. */
import { defineCommand } from './command.ts';
import { setOption } from './shared-options.ts';
import { formatNumber, formatTable } from './table.ts';

const widestMatrix = 100;

function formatValue(value: unknown): string {
  if (typeof value === 'number' || value === null) return formatNumber(value);
  if (!Array.isArray(value)) {
    if (typeof value !== 'object') return String(value);
    const entries = Object.entries(value).map(([key, entry]) => `${key} ${formatValue(entry)}`);
    return entries.join(', ');
  }
  const line = `[${value.map(formatValue).join(', ')}]`;
  if (line.length <= widestMatrix) return line;
  return `${value.length} x ${(value[0] as unknown[]).length} matrix, in full with --json`;
}

export const theory = defineCommand({
  name: 'theory',
  summary: "print the paper's closed forms",
  arguments: [{ name: '<study>', description: 'a study, such as zhang2023 (see: icl list)' }],
  options: { set: setOption },
  examples: [
    'icl theory zhang2023 --set d=20,N=40,M=100',
    'icl theory zhang2023 --set "d=3,covariance=[2,1,.5]" --json',
  ],
  async run([name], options, context) {
    const { studyNamed } = await import('../studies/index.ts');
    const { parseSettings } = await import('../studies/settings.ts');
    const study = studyNamed(name!);
    const settings = parseSettings(study, options.set);
    const report = study.theory(settings);
    if (options.json) {
      await context.print(JSON.stringify({ study: study.name, settings, ...report }));
      return 0;
    }
    await context.print(`${study.paper.title} (arXiv ${study.paper.arxiv})`);
    await context.print(
      `${Object.entries(settings)
        .map(([key, value]) => `${key}=${String(value)}`)
        .join('  ')}\n`,
    );
    const rows = Object.entries(report).map(([key, value]) => [key, formatValue(value)]);
    await context.print(formatTable([{ title: 'quantity' }, { title: 'value' }], rows));
    return 0;
  },
});
