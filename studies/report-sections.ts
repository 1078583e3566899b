/** The tables at the end of a reproduction's report: the models, their verification, the environment. */
import type { SessionReport } from '../infer/session.ts';
import { exactEngine } from '../train/engine-table.ts';
import { showNumber } from './numbers.ts';
import type { ReportSection } from './report.ts';
import type { TrainedModel } from './reproduce.ts';

/** What was trained, and how. */
export function modelSection(models: readonly TrainedModel[]): ReportSection {
  return {
    title: 'Models',
    text: 'Each was trained here: on fresh prompts at every step, or again and again on a set of as many as the table says. An exact fit solves for its minimum in one step. The loss is the mean over the last tenth of the steps.',
    table: {
      columns: ['model', 'start', 'optimizer', 'steps', 'batch', 'prompts', 'seed', 'engine', 'seconds', 'loss'],
      rows: models.map(({ plan, run: { config, engine, device, seconds, loss } }) => {
        const isExact = engine === exactEngine;
        const { name, learningRate } = config.optimizer;
        return [
          plan.label,
          isExact ? '–' : config.initialisation.scheme,
          isExact ? 'exact fit' : `${name} ${showNumber(learningRate, 3)}, ${config.schedule.name}`,
          config.steps,
          config.batch,
          isExact ? config.batch : (config.trainingPrompts ?? 'fresh'),
          config.seed,
          `${engine} ${device}`,
          Number(seconds.toFixed(1)),
          loss,
        ];
      }),
    },
  };
}

/** What verification found, per file and provider. */
export function paritySection(models: readonly TrainedModel[]): ReportSection {
  const rows = models.flatMap(({ plan, run }) =>
    run.parity.map(({ provider, adapter, maxAbsolute, maxRelative, cases, ok }) => [
      plan.label,
      provider + (adapter === null ? '' : `, ${adapter}`),
      cases,
      maxAbsolute,
      maxRelative,
      ok ? 'met' : 'NOT MET',
    ]),
  );
  return {
    title: 'Verification',
    text: 'Every exported file was compared with a float64 reading of the same forward pass at many sizes of batch, context and queries, before it was used. Errors are the largest found; relative ones are in units of the prediction’s own size.',
    table: { columns: ['model', 'provider', 'sizes', 'largest error', 'relative', 'tolerance'], rows },
  };
}

/** Versions, and the providers that the measured points come from. */
export function environmentSection(
  versions: Readonly<Record<string, string>>,
  sessions: readonly SessionReport[],
): ReportSection {
  const measuredOn = [
    ...new Set(
      sessions.map(({ provider, adapter, runtime, opset, threads }) =>
        [provider, adapter, runtime, `opset ${opset}`, `${threads} thread${threads === 1 ? '' : 's'}`]
          .filter((part) => part !== null)
          .join(', '),
      ),
    ),
  ];
  return {
    title: 'What ran where',
    text:
      sessions.length === 0
        ? 'Nothing was measured: the figures show closed forms.'
        : 'The figures’ measured points come from the exported ONNX files, not from the training engine.',
    table: {
      columns: ['part', 'version'],
      rows: [
        ...Object.entries(versions).map(([name, value]) => [name, value]),
        ...measuredOn.map((text) => ['measured on', text]),
      ],
    },
  };
}
