/** `icl reproduce all`: every study, and on request the results page. */
import { UsageError } from '../models/errors.ts';
import type { Outcome } from '../studies/reproduce-all.ts';
import type { ReproduceOptions } from '../studies/study.ts';
import type { CommandContext } from './command.ts';
import { startProgress } from './progress.ts';

/** The word that stands for all studies. */
export const allStudies = 'all';

export interface AllRequest extends Pick<ReproduceOptions, 'isQuick' | 'seed' | 'device' | 'verifyProviders'> {
  /** Texts of `--set`. */
  readonly assignments: readonly string[];
  readonly figure: string | undefined;
  readonly folder: string;
  /** Where the results page is to be written. */
  readonly results: string | undefined;
  readonly isJson: boolean;
}

/** @throws {UsageError} for what can only be said of one study. */
function checkRequest({ assignments, figure }: AllRequest): void {
  const expected = 'the name of one study';
  const remedy = 'Studies have settings and figures of their own.';
  if (assignments.length > 0) throw new UsageError({ where: '--set', expected, got: allStudies, remedy });
  if (figure !== undefined)
    throw new UsageError({ where: `reproduce .. ${figure}`, expected, got: allStudies, remedy });
}

function commandOf({ isQuick, seed, results }: AllRequest): string {
  const parts = [isQuick ? '--quick' : '', `--seed ${seed}`, results === undefined ? '' : `--results ${results}`];
  return ['icl reproduce all', ...parts.filter((part) => part !== '')].join(' ');
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** @returns 1 if a study failed with an error, else 0: a claim that is flagged is a result. */
export async function reproduceAllStudies(request: AllRequest, context: CommandContext): Promise<number> {
  checkRequest(request);
  const { studies } = await import('../studies/index.ts');
  const { isReproduced, reproduceAll } = await import('../studies/reproduce-all.ts');
  const { unexplained, writeResults } = await import('../studies/results.ts');
  const { formatSummary } = await import('../studies/summary.ts');
  const { isQuick, seed, device, verifyProviders, folder } = request;
  const outcomes: Outcome[] = [];
  let progress = startProgress(context, 'reproduce all', 100);
  let percent = 0;
  try {
    const all = reproduceAll(studies, {
      ...{ isQuick, seed, device, verifyProviders, folder, signal: context.signal },
      onProgress({ fraction, study, detail }) {
        percent = Math.round(100 * fraction);
        progress.update(percent, `${study}: ${detail}`);
      },
    });
    for await (const outcome of all) {
      progress.stop();
      outcomes.push(outcome);
      const study = outcome.study.name;
      if (!isReproduced(outcome)) {
        context.log(`error: ${study} failed: ${messageOf(outcome.error)}`);
        if (request.isJson) await context.print(JSON.stringify({ study, error: messageOf(outcome.error) }));
      } else if (request.isJson) {
        const { rows, claims, files, seconds } = outcome.result;
        for (const row of rows) await context.print(JSON.stringify(row));
        await context.print(JSON.stringify({ study, claims, files, seconds }));
      } else {
        await context.print(`${study}: ${outcome.study.title}\n`);
        for (const line of formatSummary(outcome.result)) await context.print(line);
        await context.print('');
      }
      progress = startProgress(context, 'reproduce all', 100);
      if (outcomes.length < studies.length) progress.update(percent, '');
    }
  } finally {
    progress.stop();
  }
  if (request.results !== undefined) {
    const files = writeResults({ path: request.results, command: commandOf(request), outcomes });
    await context.print(request.isJson ? JSON.stringify({ files }) : `results: ${files.at(-1)}`);
  }
  const silent = unexplained(outcomes);
  if (silent > 0) context.log(`claims that are flagged and do not say why: ${silent}`);
  const failed = outcomes.filter((outcome) => !isReproduced(outcome)).length;
  if (failed > 0) context.log(`${failed} of ${studies.length} studies failed`);
  return failed > 0 ? 1 : 0;
}
