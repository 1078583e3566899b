/** The experiments of Lu et al. (2025): which points of the phase diagram are drawn, what is frozen and measured. */
import { shiftNamed } from '../../models/shifts/index.ts';
import type { Phase } from '../../models/theory/lu2024.ts';
import { chooseFigures } from '../figure-choice.ts';
import { type FigurePlan, type ModelPlan, openWorkshop, type RunRow, type TrainedModel } from '../reproduce.ts';

import type { Claim, ReproduceOptions, ReproduceResult, Settings, Study } from '../study.ts';
import { claimsOf, type Findings } from './claims.ts';
import { demoFigure, doubleDescent, finiteSize, gapFigure, ridgeFigure } from './figures.ts';
import { drawGrid, type GridPoint, type GridResult, sizeSeries } from './grid.ts';
import { type Design, phaseOf } from './law.ts';
import { contextLength, lengthFields, lengthMap } from './length-figures.ts';
import {
  fullNetworks,
  type NetworkFindings,
  type NetworkSize,
  networkClaims,
  networkStages,
  networksFigure,
  quickNetworks,
  trainNetworks,
} from './network-experiments.ts';

/** How much work a reproduction is. */
export interface Size {
  readonly d: number;
  readonly draws: { readonly peak: number; readonly length: number; readonly long: number; readonly gap: number };
  readonly demo: { readonly d: number; readonly draws: number };
  readonly sizes: readonly number[];
  readonly sizeDraws: number;
  readonly bayes: { readonly kappas: number; readonly draws: number; readonly prompts: number };
  /** Columns and rows of a map of Figure 3, and lengths that are tried. */
  readonly map: readonly [number, number, number];
  /** Prompts per measured point of a frozen model. */
  readonly prompts: number;
  readonly networks: NetworkSize;
}

const quick: Size = {
  d: 32,
  draws: { peak: 5, length: 5, long: 2, gap: 5 },
  demo: { d: 32, draws: 20 },
  sizes: [20, 30, 40],
  sizeDraws: 20,
  bayes: { kappas: 8, draws: 2, prompts: 25 },
  map: [81, 61, 220],
  prompts: 5000,
  networks: quickNetworks,
};

const full: Size = {
  d: 100,
  draws: { peak: 10, length: 10, long: 3, gap: 10 },
  demo: { d: 64, draws: 20 },
  sizes: [20, 30, 40, 60, 80],
  sizeDraws: 60,
  bayes: { kappas: 31, draws: 10, prompts: 100 },
  map: [201, 150, 500],
  prompts: 30_000,
  networks: fullNetworks,
};

const INFINITE = Number.POSITIVE_INFINITY;
const PEAK_TAUS = [0.2, 0.5, 0.85, 1.15, 1.5, 2];

/** The panels of Figure 2. */
const lengthPanels = [
  { title: 'pretraining tasks, τ = 0.5, ρ = 0.5', of: 'idgRisk', tau: 0.5, rho: 0.5, kappas: [0.1, 0.3, 0.5, 0.7, 2], alphas: [1, 5.6, 6.15, 7.4, 100, 1000] },
  { title: 'fresh tasks, τ = 0.5, ρ = 0.1', of: 'iclRisk', tau: 0.5, rho: 0.1, kappas: [0.2, 0.4, 0.5, 0.6, 1.5], alphas: [2.35, 5.5, 9.62, 22.7, 100, 1000] },
  { title: 'fresh tasks, τ = 20, ρ = 0.5', of: 'iclRisk', tau: 20, rho: 0.5, kappas: [0.25, 0.75, 1, 1.1, 2], alphas: [2.35, 5.5, 9.62, 22.7, 100, 1000] },
] as const; // biome-ignore format: a table

/** The points whose limit is taken: below and above the peak, and with a ridge. */
const sizePhases: readonly (readonly [string, Phase])[] = [
  ['τ = 2', { tau: 2, alpha: 10, kappa: 0.5, rho: 0.01, lambda: 1e-5 }],
  ['τ = 0.5', { tau: 0.5, alpha: 10, kappa: 0.5, rho: 0.01, lambda: 1e-5 }],
  ['τ = 2, λ = 0.1', { tau: 2, alpha: 10, kappa: 0.5, rho: 0.01, lambda: 0.1 }],
];

/** The models that are frozen: few and many contexts, few and many tasks. */
function frozenPlans(settings: Settings, seed: number): ModelPlan[] {
  const own = { ...settings, model: 'reduced' };
  const at = (name: string, label: string, changes: Settings): ModelPlan => ({
    name,
    label,
    settings: { ...own, ...changes },
    seed,
    overrides: { engine: 'exact' },
  });
  const { tau, kappa } = phaseOf(settings);
  return [
    at('own', `τ = ${tau}, κ = ${kappa === INFINITE ? '∞' : kappa}`, {}),
    at('few-contexts', 'τ = 0.5, κ = 0.5', { tau: 0.5, kappa: 0.5 }),
    at('many-tasks', 'τ = 2, κ = 4', { tau: 2, kappa: 4 }),
  ];
}

/** @param size How much work; by default what the options say. */
export async function reproduce(
  study: Study,
  options: ReproduceOptions,
  size: Size = options.isQuick ? quick : full,
): Promise<ReproduceResult> {
  const { settings, seed, signal } = options;
  const { wants } = chooseFigures(study, options);
  const base = phaseOf(settings);
  const design = String(settings['design']) as Design;
  const wantsFrozen = wants('double-descent', 'task-gap', 'demo', 'finite-size');
  const stages = 7 + (wantsFrozen ? 6 : 0);
  const workshop = openWorkshop(study, options, stages + (wants('networks') ? networkStages(size.networks) : 0));
  let grids = 0;
  const draw = (detail: string, points: readonly GridPoint[]): Promise<readonly GridResult[]> => {
    const own = seed * 16 + grids++;
    return workshop.work(detail, (onProgress) => drawGrid(points, { seed: own, design, signal, onProgress }));
  };
  const { d, draws } = size;
  const figures: FigurePlan[] = [];
  const findings: { -readonly [Key in keyof Findings]: Findings[Key] } = {
    frozen: [],
    rows: [],
    sizes: [],
    bayes: [],
    demo: [],
  };

  if (wants('double-descent')) {
    const phases = [1, 10, 100].flatMap((alpha) => PEAK_TAUS.map((tau) => ({ ...base, kappa: 0.5, alpha, tau })));
    const points = phases.map((phase) => ({ phase: { ...phase, lambda: 1e-5 }, d, draws: draws.peak }));
    figures.push(doubleDescent(await draw('fits around the peak', points)));
  }
  if (wants('ridge')) {
    const phases = [1e-5, 0.1, 1].flatMap((lambda) =>
      [...PEAK_TAUS, 1].map((tau) => ({ ...base, alpha: 10, kappa: INFINITE, lambda, tau })),
    );
    figures.push(
      ridgeFigure(
        await draw(
          'fits with ridges',
          phases.map((phase) => ({ phase, d, draws: draws.peak })),
        ),
      ),
    );
  }
  if (wants('context-length')) {
    const panels = [];
    for (const { title, of, tau, rho, kappas, alphas } of lengthPanels) {
      const phases = kappas.flatMap((kappa) => alphas.map((alpha) => ({ tau, alpha, kappa, rho, lambda: 1e-6 })));
      const count = tau > 1 ? draws.long : draws.length;
      const points = phases.map((phase) => ({ phase, d, draws: count }));
      panels.push({ title, of, results: await draw(`fits for context lengths, ${title}`, points) });
    }
    figures.push(contextLength(panels));
  }
  if (wants('length-map')) {
    figures.push(lengthMap(await workshop.work('best lengths', () => lengthFields(...size.map))));
  }
  if (wants('task-gap')) {
    const at = (alpha: number, kappa: number): Phase => ({
      ...base,
      rho: 0.01,
      lambda: 1e-5,
      alpha,
      tau: 0.2 * alpha,
      kappa,
    });
    const alphas = [6, 10, 20, 40];
    const fits = alphas.flatMap((alpha) =>
      [0.2, 0.5, 1, 10, 50].map((kappa) => ({ phase: at(alpha, kappa), d, draws: draws.gap })),
    );
    const { kappas, draws: count, prompts } = size.bayes;
    const grid = Array.from({ length: kappas }, (_, i) => 0.08 * (95.7 / 0.08) ** (i / (kappas - 1)));
    const bayes = alphas.flatMap((alpha) =>
      grid.map((kappa): GridPoint => ({ kind: 'dmmse', phase: at(alpha, kappa), d, draws: count, prompts })),
    );
    const fitted = await draw('fits for the task gap', fits);
    findings.bayes = await draw('Bayes with the bank', bayes);
    figures.push(gapFigure(fitted, findings.bayes));
  }
  if (wants('demo')) {
    const kappas = [0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.6, 2, 4, 8, 16, 32];
    const points = kappas.map((kappa) => ({
      phase: { tau: 10, alpha: 10, kappa, rho: 0.01, lambda: 1e-6 },
      ...size.demo,
    }));
    const started = performance.now();
    findings.demo = await draw("the authors' quick figure", points);
    figures.push(demoFigure(findings.demo, (performance.now() - started) / 1000));
  }
  if (wants('finite-size')) {
    const points = sizePhases.flatMap(([, phase]) =>
      size.sizes.map((each) => ({ phase, d: each, draws: size.sizeDraws })),
    );
    const results = await draw('fits at several sizes', points);
    const per = size.sizes.length;
    findings.sizes = sizePhases.map(([label], i) => sizeSeries(label, results.slice(i * per, (i + 1) * per)));
    figures.push(finiteSize(findings.sizes));
  }
  if (wantsFrozen) {
    findings.frozen = await workshop.train(frozenPlans(settings, seed));
    findings.rows = await measureAll(findings.frozen);
  }
  let trained: NetworkFindings | undefined;
  if (wants('networks')) {
    trained = await trainNetworks(workshop, settings, seed, size.networks);
    figures.push(networksFigure(trained));
  }
  const claims = [...claimsOf(findings), ...(trained === undefined ? [] : networkClaims(trained))];
  const order = study.figures.map(({ name }) => name);
  const sorted = [...figures].sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  return workshop.finish(leadOf(findings, claims), claims, sorted);

  /** On pretraining and on fresh tasks, at the pretraining length and at shorter ones. */
  async function measureAll(models: readonly TrainedModel[]): Promise<readonly RunRow[]> {
    const rows: RunRow[] = [];
    for (const model of models) {
      const l = model.run.config.contextLength;
      const shifts = [{ shift: shiftNamed('fresh-tasks'), levels: [0, 1] }];
      const lengths = [Math.max(1, Math.round(l / 8)), Math.max(1, Math.round(l / 2)), l];
      rows.push(...(await workshop.measure(model, { lengths, shifts, prompts: size.prompts, queriesPerPrompt: 2 })));
    }
    return rows;
  }
}

function leadOf({ frozen, rows, demo, sizes }: Findings, claims: readonly Claim[]): string {
  const fits = [...demo, ...sizes.flatMap(({ results }) => results)].reduce((sum, { point }) => sum + point.draws, 0);
  const failed = claims.filter(({ holds }) => !holds).length;
  const found =
    failed === 0 ? `All ${claims.length} claims below hold.` : `${failed} of ${claims.length} claims are flagged.`;
  const solved =
    fits === 0 ? '' : `${fits} pretrainings were solved for exactly and their errors computed without sampling; `;
  const measured =
    frozen.length === 0
      ? 'curves are closed forms'
      : `${frozen.length} models were frozen as ONNX files, verified, and measured at ${rows.length} points`;
  const text = `${solved}${measured}. ${found}`;
  return text[0]!.toUpperCase() + text.slice(1);
}
