/**
 * Draws of finite experiments: a bank of tasks, its contexts, the ridge solution and its exact errors; or Bayes with that bank.
 * Each is a pure function of its job, so that any number of threads gives the same numbers.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { BankPosterior } from '../../models/estimators/dmmse.ts';
import { allocateBatch } from '../../models/prompts.ts';
import { createGenerator, streams } from '../../models/random.ts';
import { fillContextFeatures } from '../../models/tasks/context-features.ts';
import { createSampler } from '../../models/tasks/index.ts';
import type { LinearRegressionBankSpec } from '../../models/tasks/linear-regression-bank.ts';
import { finiteRisk, freshTaskMoments, type Phase } from '../../models/theory/lu2024.ts';
import { type FitMethod, fitBilinearRidge } from '../../train/bilinear-ridge/fit.ts';
import { BilinearRows } from '../../train/bilinear-ridge/rows.ts';
import { type Design, finiteSizes, momentsOf } from './law.ts';

/** Ridge solutions are taken to this residual: their errors are then right to 1e-5, far below their spread. */
const TOLERANCE = 1e-5;

export interface DrawJob {
  /** `fit`: pretrain and take the errors; `dmmse`: errors of Bayes with the bank, which is not pretrained. */
  readonly kind: 'fit' | 'dmmse';
  readonly phase: Phase;
  readonly d: number;
  readonly seed: number;
  readonly design: Design;
  /** Prompts of each kind, for `dmmse`. */
  readonly prompts?: number;
}

export interface DrawResult {
  readonly iclRisk: number;
  readonly idgRisk: number;
  /** 0 for Bayes. */
  readonly trainRisk: number;
  readonly method: FitMethod | 'bayes';
  readonly iterations: number;
}

/** Memory of fits, one for each thread. */
let memory: BilinearRows | undefined;

export function runDraw(job: DrawJob, signal?: AbortSignal): DrawResult {
  const { phase, d, seed } = job;
  const { tasks } = finiteSizes(phase, d);
  const task: LinearRegressionBankSpec = {
    name: 'linear-regression-bank',
    dimension: d,
    tasks,
    law: 'sphere',
    bankSeed: seed,
    noiseVariance: phase.rho,
  };
  return job.kind === 'fit' ? fitOnce(job, task, signal) : bayesOnce(job, task);
}

function fitOnce(
  { phase, d, seed, design }: DrawJob,
  task: LinearRegressionBankSpec,
  signal?: AbortSignal,
): DrawResult {
  const { contextLength, contexts } = finiteSizes(phase, d);
  memory ??= new BilinearRows();
  memory.resize({ rows: contexts, columns: d, width: d + 1 });
  const generator = createGenerator(seed, streams.training);
  fillContextFeatures({ task, contextLength, design, generator, first: 0, count: contexts }, memory);
  const penalty = (contexts / d) * phase.lambda;
  const { matrix, trainRisk, method, iterations } = fitBilinearRidge(memory, penalty, { tolerance: TOLERANCE, signal });
  const law = { dimension: d, contextLength, noiseVariance: phase.rho };
  const iclRisk = finiteRisk(matrix, { ...law, tasks: freshTaskMoments(d) });
  const idgRisk = task.tasks === null ? iclRisk : finiteRisk(matrix, { ...law, tasks: momentsOf(task) });
  return { iclRisk, idgRisk, trainRisk, method, iterations };
}

/**
 * Mean over prompts of ||w_hat - w||^2 / d + rho, which is the squared error averaged over queries: far less spread than that of
 * single queries.
 */
function bayesOnce({ phase, d, seed, prompts = 10 }: DrawJob, task: LinearRegressionBankSpec): DrawResult {
  const { contextLength: context } = finiteSizes(phase, d);
  const posterior = new BankPosterior(task);
  const batch = allocateBatch({ batch: prompts, context, queries: 1, dimension: d });
  const risk = (test: LinearRegressionBankSpec, stream: number): number => {
    createSampler(test).fill(createGenerator(seed, stream), 0, batch);
    let sum = 0;
    posterior.solve(batch, (means, start, count) => {
      for (let at = 0; at < count * d; at++) sum += (means[at]! - batch.taskParameters[start * d + at]!) ** 2 / d;
    });
    return sum / prompts + phase.rho;
  };
  const idgRisk = risk(task, streams.evaluation);
  const iclRisk = risk({ ...task, freshShare: 1 }, streams.validation);
  return { iclRisk, idgRisk, trainRisk: 0, method: 'bayes', iterations: 0 };
}

export interface DrawOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (fraction: number) => void;
  /** Default: one per core. */
  readonly threads?: number;
}

/** From this many jobs on threads pay. */
const FEWEST_JOBS = 4;

/** Results of all jobs, in their order, computed side by side. */
export async function runDraws(
  jobs: readonly DrawJob[],
  { signal, onProgress, threads = availableParallelism() }: DrawOptions = {},
): Promise<readonly DrawResult[]> {
  const isCompiled = import.meta.url.endsWith('.js');
  if (!isCompiled || threads < 2 || jobs.length < FEWEST_JOBS) {
    const results: DrawResult[] = [];
    for (const job of jobs) {
      results.push(runDraw(job, signal));
      onProgress?.(results.length / jobs.length);
      // Whoever waits for a signal or a timer gets a turn.
      await new Promise((resolve) => setImmediate(resolve));
      signal?.throwIfAborted();
    }
    return results;
  }
  return runInThreads(jobs, Math.min(threads, jobs.length), signal, onProgress);
}

async function runInThreads(
  jobs: readonly DrawJob[],
  threads: number,
  signal: AbortSignal | undefined,
  onProgress: ((fraction: number) => void) | undefined,
): Promise<readonly DrawResult[]> {
  const results: DrawResult[] = [];
  const workers = Array.from({ length: threads }, () => new Worker(new URL('./draw-worker.js', import.meta.url)));
  let next = 0;
  let done = 0;
  const serve = (worker: Worker) =>
    new Promise<void>((resolve, reject) => {
      let current = -1;
      const give = () => {
        if (next === jobs.length) return resolve();
        current = next++;
        worker.postMessage(jobs[current]);
      };
      worker.on('message', (message: DrawResult | { readonly failure: unknown }) => {
        if ('failure' in message) return reject(message.failure);
        results[current] = message;
        onProgress?.(++done / jobs.length);
        give();
      });
      worker.on('error', reject);
      give();
    });
  let stop: (() => void) | undefined;
  try {
    signal?.throwIfAborted();
    const stopped = new Promise<never>((_, reject) => {
      stop = () => reject(signal?.reason);
      signal?.addEventListener('abort', stop);
    });
    await Promise.race([Promise.all(workers.map(serve)), stopped]);
  } finally {
    if (stop !== undefined) signal?.removeEventListener('abort', stop);
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return results;
}
