/** `icl list`: studies, models, tasks, shifts, estimators and optimizers with their parameters and defaults. */
import { defineCommand } from './command.ts';
import { formatCells, formatTable } from './table.ts';

export const list = defineCommand({
  name: 'list',
  summary: 'list studies, models, tasks, shifts and estimators with their parameters and defaults',
  arguments: [],
  options: {},
  examples: ['icl list', 'icl list --json'],
  async run(_positional, options, context) {
    const { studies } = await import('../studies/index.ts');
    const { architectures } = await import('../models/attention/index.ts');
    const { tasks } = await import('../models/tasks/index.ts');
    const { shifts } = await import('../models/shifts/index.ts');
    const { estimators } = await import('../models/estimators/index.ts');
    const catalogue = {
      studies: studies.map(({ name, title, paper, settings, figures, cost }) => ({
        name,
        title,
        paper,
        settings: settings.map((setting) => ({
          name: setting.name,
          description: setting.description,
          default: setting.default,
        })),
        figures: figures.map((figure) => ({
          name: figure.name,
          title: figure.title,
          description: figure.description,
          isExtra: figure.isExtra === true,
        })),
        cost,
      })),
      models: architectures.map(({ name, description, source, sizeOptions, initSchemes }) => ({
        name,
        description,
        source,
        sizes: sizeOptions ?? [],
        initSchemes: initSchemes.map((scheme) => ({
          name: scheme.name,
          description: scheme.description,
          defaults: scheme.defaults,
        })),
      })),
      tasks: tasks.map(({ name, description, source, kind }) => ({ name, description, source, kind })),
      shifts: shifts.map(({ name, level, description, levels, tasks }) => ({
        name,
        level,
        description,
        levels,
        tasks,
      })),
      estimators: estimators.map(({ name, description, tasks, options }) => ({
        name,
        description,
        tasks,
        options: options.map((option) => ({
          name: option.name,
          description: option.description,
          default: option.default ?? null,
        })),
      })),
    };
    if (options.json) {
      await context.print(JSON.stringify(catalogue));
      return 0;
    }
    for (const study of catalogue.studies) {
      await context.print(`study ${study.name}: ${study.title} (arXiv ${study.paper.arxiv})`);
      const rows = study.settings.map((setting) => [`  ${setting.name}`, String(setting.default), setting.description]);
      await context.print(formatTable([{ title: '  setting' }, { title: 'default' }, { title: '' }], rows));
      const names = study.figures.map(({ name, isExtra }) => (isExtra ? `${name} (takes long)` : name));
      await context.print(`  figures: ${names.join(', ')}`);
      const { quick, full } = study.cost;
      await context.print(`  minutes on two cores: ${quick.minutes} with --quick, ${full.minutes} in full\n`);
    }
    const defaultsOf = (values: Readonly<Record<string, number>>) =>
      Object.entries(values).map(([key, value]) => `${key} ${value}`);
    const modelRows = catalogue.models.map(({ name, sizes, initSchemes }) => {
      const own = Object.fromEntries(sizes.map((size) => [size.name, size.default]));
      const starts = initSchemes.map((scheme) => [scheme.name, ...defaultsOf(scheme.defaults)].join(' '));
      return [`  ${name}`, defaultsOf(own).join(', ') || '-', starts.join(', ')];
    });
    const shiftSections = catalogue.tasks.flatMap(({ name: task }) => {
      const own = catalogue.shifts.filter(({ tasks }) => tasks.some((name) => name === task));
      const rows = own.map(({ name, level, levels }) => [`  ${name}`, `${level}; by default ${levels.join(', ')}`]);
      return rows.length === 0 ? [] : [[`shifts of ${task} (icl evaluate --shift name=level,level)`, rows] as const];
    });
    const sections = [
      ['models', catalogue.models.map(({ name, description }) => [`  ${name}`, description])],
      ['sizes of models besides the dimension, with defaults, and how they may start (--init)', modelRows],
      ['tasks', catalogue.tasks.map(({ name, kind, description }) => [`  ${name}`, kind, description])],
      ...shiftSections,
      [
        'estimators',
        catalogue.estimators.map(({ name, description, tasks }) => [`  ${name}`, description, tasks.join(', ')]),
      ],
    ] as const;
    for (const [title, rows] of sections) {
      await context.print(title);
      await context.print(`${formatCells(rows)}\n`);
    }
    return 0;
  },
});
