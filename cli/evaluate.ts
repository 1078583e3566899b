/** `icl evaluate`: the risk of a frozen model under test-time lengths and shifts, beside estimators and theory. */
import { type EvaluationRow, zScore } from '../infer/evaluation-plan.ts';
import type { InferenceSession } from '../infer/session.ts';
import { UsageError, unknownName } from '../models/errors.ts';
import { shiftNamed, shiftsFor } from '../models/shifts/index.ts';
import type { TaskSpec } from '../models/tasks/index.ts';
import { commaList, defineCommand, option, positiveNumber, repeatable, text, wholeNumber } from './command.ts';
import { startProgress } from './progress.ts';
import { providerOption, seedOption, threadsOption } from './shared-options.ts';
import { formatNumber, formatTable } from './table.ts';

/** `name` or `name=level,level`. */
function parseShift(value: string) {
  const [name, levels] = value.split(/=(.*)/s) as [string, string | undefined];
  const shift = shiftNamed(name);
  if (levels === undefined) return { shift, levels: shift.levels };
  const parseLevel = (item: string) => {
    const level = Number(item);
    if (!Number.isFinite(level)) {
      throw new UsageError({ where: `--shift ${name}`, expected: 'numbers', got: JSON.stringify(item) });
    }
    return level;
  };
  return { shift, levels: commaList(`--shift ${name}`, parseLevel)(levels) };
}

/** Groups of shifts at their usual levels, by what they are about. */
const suiteNames = ['covariate', 'query', 'task', 'all'] as const;
type SuiteName = (typeof suiteNames)[number];

function parseSuite(value: string): SuiteName {
  const found = suiteNames.find((name) => name === value);
  if (found === undefined) throw unknownName('--suite', value, suiteNames);
  return found;
}

/** Those that the model's task has. */
function shiftsOf(suite: SuiteName, task: TaskSpec) {
  const wanted = shiftsFor(task).filter(({ about }) => suite === 'all' || about === suite);
  if (wanted.length === 0) {
    throw new UsageError({ where: `--suite ${suite}`, expected: `shifts that ${task.name} has`, got: 'none' });
  }
  return wanted.map((shift) => ({ shift, levels: shift.levels }));
}

export function formatRows(rows: readonly EvaluationRow[]): string {
  return formatTable(
    [
      { title: 'shift' },
      { title: 'level', align: 'right' },
      { title: 'length', align: 'right' },
      { title: 'estimator' },
      { title: 'measure' },
      { title: 'risk', align: 'right' },
      { title: 'std. error', align: 'right' },
      { title: 'theory', align: 'right' },
      { title: 'z', align: 'right' },
      { title: 'prompts', align: 'right' },
    ],
    rows.map((row) => [
      row.shift ?? 'none',
      formatNumber(row.level),
      String(row.contextLength),
      row.estimator,
      row.measure,
      formatNumber(row.risk),
      formatNumber(row.standardError),
      formatNumber(row.theory),
      zScore(row)?.toFixed(1) ?? '-',
      String(row.prompts),
    ]),
  );
}

export const evaluate = defineCommand({
  name: 'evaluate',
  summary: 'measure the risk of a frozen model under other lengths and shifts, beside estimators and theory',
  arguments: [{ name: '<model>', description: 'an ONNX file, or a run folder' }],
  options: {
    lengths: option(
      '--lengths <n,...>',
      'test-time context lengths',
      commaList('--lengths', wholeNumber('--lengths', 1)),
      undefined,
      'the training length',
    ),
    shift: repeatable('--shift <name=l,...>', 'a shift and its levels; may be given several times', parseShift),
    suite: option('--suite <name>', `a group of shifts at their usual levels: ${suiteNames.join(', ')}`, parseSuite),
    estimators: option(
      '--estimators <e,...>',
      "estimators beside the model, or none (see: icl list; default: the task's)",
      (value) => (value === 'none' ? [] : commaList('--estimators', text)(value)),
    ),
    prompts: option('--prompts <n>', 'fresh prompts per row', wholeNumber('--prompts', 2), 20_000),
    queries: option('--queries <n>', 'queries per prompt', wholeNumber('--queries', 1), 1),
    target: option(
      '--target <r>',
      'stop drawing for a point once standard error / risk is at most this in all its rows',
      positiveNumber('--target'),
    ),
    compare: option('--compare <model>', 'a second model, which answers the same prompts', text),
    seed: seedOption(0),
    provider: providerOption,
    threads: threadsOption,
    output: option('-o, --output <file>', 'also write the rows to a JSON Lines file', text),
  },
  examples: [
    'icl evaluate runs/first --lengths 5,10,20,40,100',
    'icl evaluate runs/first --shift covariate-scale=0.5,1,2 --shift label-noise --json',
    'icl evaluate runs/first --compare runs/second --target 0.02',
  ],
  async run([path], options, context) {
    const { readRunnableFile } = await import('./shared-options.ts');
    const { openSession } = await import('../infer/session-node.ts');
    const { requestFor } = await import('../studies/evaluate-model.ts');
    const { studies } = await import('../studies/index.ts');
    const { evaluate: measure } = await import('../infer/evaluate.ts');
    const { writeFileAtomic } = await import('../export/files.ts');
    const model = readRunnableFile(path!);
    const other = options.compare === undefined ? undefined : readRunnableFile(options.compare);
    const sessionOptions = {
      provider: options.provider,
      ...(options.threads === undefined ? {} : { threads: options.threads }),
    };
    const session = await openSession(model, sessionOptions);
    let compared: InferenceSession | undefined;
    const progress = startProgress(context, 'evaluate', undefined);
    const rows: EvaluationRow[] = [];
    try {
      if (other !== undefined) compared = await openSession(other, sessionOptions);
      const request = requestFor(
        model,
        {
          shifts: [
            ...options.shift,
            ...(options.suite === undefined ? [] : shiftsOf(options.suite, model.metadata.task)),
          ],
          prompts: options.prompts,
          queriesPerPrompt: options.queries,
          seed: options.seed,
          targetStandardError: options.target ?? null,
          signal: context.signal,
          ...(compared === undefined ? {} : { compared }),
          ...(options.estimators === undefined ? {} : { estimators: options.estimators }),
          ...(options.lengths === undefined ? {} : { lengths: options.lengths }),
        },
        studies,
      );
      for await (const row of measure(session, request)) {
        rows.push(row);
        progress.update(rows.length, 'rows');
        if (options.json) await context.print(JSON.stringify(row));
      }
    } finally {
      progress.stop();
      await session.close();
      await compared?.close();
    }
    if (!options.json) await context.print(formatRows(rows));
    if (options.output !== undefined) {
      writeFileAtomic(options.output, `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`);
      context.log(`written: ${options.output}`);
    }
    return 0;
  },
});
