/** docs/training.md: its example is trained, and its tables name what there is. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseConfig } from '../../train/config.ts';
import { engineTable, exactEngine } from '../../train/engine-table.ts';
import { losses } from '../../train/losses.ts';
import { optimizers } from '../../train/optimizers.ts';
import { runFiles } from '../../train/run-folder.ts';
import { schedules } from '../../train/schedule.ts';
import { runIcl } from '../cli/run-icl.ts';

const document = readFileSync(join(import.meta.dirname, '../../docs/training.md'), 'utf8');
const example = /^```json\n(.*?)^```$/ms.exec(document)![1]!;

/** The cells of the rows whose first cell names a thing in code. */
const rows = [...document.matchAll(/^\| (`.*?) \|(.*)\|$/gm)].map(([, first, rest]) => ({
  first: first!,
  rest: rest!,
}));
const words = (cell: string): string[] => [...cell.matchAll(/`([^`\n]+)`/g)].map(([, word]) => word!);

test('the example trains, and is continued by the command that the page names', { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'icl-docs-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'mine.json'), example);
  const trained = await runIcl(['train', 'mine.json', '--steps', '20', '--out', 'runs/mine', '--verify', 'cpu'], {
    cwd: folder,
  });
  expect(trained).toMatchObject({ code: 0, stderr: '' });
  const command = /^ {4}icl (train .* --resume)$/m.exec(document)![1]!;
  const again = await runIcl([...command.split(' '), '--verify', 'cpu'], { cwd: folder });
  expect(again).toMatchObject({ code: 0, stderr: expect.stringContaining('the run had all its steps already') });
  const metrics = readFileSync(join(folder, 'runs/mine/metrics.jsonl'), 'utf8').trim().split('\n');
  const told = words(rows.find(({ first }) => first === '`metrics.jsonl`')!.rest);
  for (const key of Object.keys(JSON.parse(metrics[0]!) as object)) expect(told).toContain(key);
});

test('every key of a configuration has a row, with the default that it has', () => {
  const config = parseConfig('docs/training.md', JSON.parse(example));
  const told = rows.flatMap(({ first }) => words(first));
  for (const key of Object.keys(config)) expect(told).toContain(key);
  const minimal = Object.fromEntries(
    Object.entries(JSON.parse(example) as object).filter(([key]) =>
      ['study', 'settings', 'model', 'task', 'contextLength'].includes(key),
    ),
  );
  const defaults = parseConfig('docs/training.md', minimal);
  const row = (first: string) => rows.find((each) => each.first === first)!.rest;
  expect(row('`steps`, `batch`')).toContain(`${defaults.steps}, ${defaults.batch}`);
  expect(row('`logEvery`, `checkpointEvery`')).toContain(`${defaults.logEvery}, ${defaults.checkpointEvery}`);
  expect(row('`optimizer`')).toContain(`\`${defaults.optimizer.name}\`, at ${defaults.optimizer.learningRate}`);
  expect(row('`schedule`')).toContain(`\`${defaults.schedule.name}\``);
  expect(row('`initialisation`')).toContain(`\`${defaults.initialisation.scheme}\``);
});

test('every optimizer, schedule, loss, engine, device and file is named', () => {
  const told = words(document);
  const names = [
    ...optimizers.flatMap(({ defaults }) =>
      Object.entries(defaults).map(([key, value]) => (key === 'name' ? value : key)),
    ),
    ...schedules.flatMap(({ name, defaults }) => [name, ...Object.keys(defaults).filter((key) => key !== 'name')]),
    ...losses.map(({ name }) => name),
    ...engineTable.flatMap(({ name, devices }) => [name, ...devices]),
    exactEngine,
    ...[runFiles.config, runFiles.metrics, runFiles.checkpoint, runFiles.model],
  ];
  for (const name of names) expect(told).toContain(name);
});
