/** `icl doctor`: what works on this machine, tried and not guessed, and what installs the rest. */
import { defineCommand } from './command.ts';
import { formatTable } from './table.ts';

interface Finding {
  readonly name: string;
  readonly available: boolean;
  readonly detail: string;
  readonly install: string | null;
}

const pick = ({ name, available, detail, install }: Finding): Finding => ({ name, available, detail, install });

function describe(title: string, findings: readonly Finding[]): string {
  const rows = findings.map(({ name, available, detail }) => [name, available ? 'works' : 'absent', detail]);
  const hints = findings
    .filter(({ available, install }) => !available && install !== null)
    .map(({ name, install }) => `  ${name}: ${install}`);
  const table = formatTable([{ title }, { title: '' }, { title: 'detail' }], rows);
  return hints.length === 0 ? table : `${table}\nto install:\n${hints.join('\n')}`;
}

export const doctor = defineCommand({
  name: 'doctor',
  summary: 'say which engines and providers work here, and what installs the others',
  arguments: [],
  options: {},
  examples: ['icl doctor', 'icl doctor --json'],
  async run(_positional, options, context) {
    const { probeProviders } = await import('../infer/providers.ts');
    const { probeEngines } = await import('../train/engines.ts');
    const { version } = await import('../models/version.ts');
    const providers = (await probeProviders()).map(pick);
    const engines = await probeEngines();
    const versions = { icl: version, node: process.versions.node, platform: `${process.platform}-${process.arch}` };
    if (options.json) {
      await context.print(JSON.stringify({ versions, engines, providers }));
      return 0;
    }
    await context.print(`icl-onnx ${versions.icl}, Node ${versions.node}, ${versions.platform}\n`);
    await context.print(`${describe('train on', engines)}\n`);
    await context.print(describe('run on', providers));
    return 0;
  },
});
