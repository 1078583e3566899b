/**
 * The results page: of every study its leading figure and its claims, with what it takes to get them again. Markdown and SVG
 * files beside it, since it stands in a repository. Knows how the page looks, and nothing about any paper.
 */

import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { basename, dirname, extname, join } from 'node:path';
import { ensureFolder, writeFileAtomic } from '../export/files.ts';
import { showNumber, showZ } from './numbers.ts';
import { type Failed, isReproduced, type Outcome, type Reproduced } from './reproduce-all.ts';
import type { Claim, Cost, DrawnFigure } from './study.ts';
import { timeTaken } from './summary.ts';

/** A table cell: one line, and no bar that would end it. */
const cell = (text: string): string => text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|');

const row = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;

function table(columns: readonly string[], alignment: string, rows: readonly (readonly string[])[]): string {
  const marks = [...alignment].map((side) => (side === 'r' ? '--:' : ':--'));
  return [row(columns), `|${marks.join('|')}|`, ...rows.map(row)].join('\n');
}

const verdictOf = ({ verdict, holds }: Claim): string => (holds ? verdict : `⚑ ${verdict}`);

function claimsTable(claims: readonly Claim[]): string {
  const rows = claims.map((claim) => {
    const { statement, theory, measured, standardError, z, explanation } = claim;
    const said = explanation === undefined ? statement : `${statement}<br>*${explanation}*`;
    return [said, showNumber(theory), showNumber(measured), showNumber(standardError, 2), showZ(z), verdictOf(claim)];
  });
  return table(['claim', 'theory', 'measured', 'standard error', 'z', 'verdict'], 'lrrrrl', rows);
}

/** `5.0e10`, as people write it. */
const flops = (value: number): string => {
  const [mantissa, exponent] = value.toExponential(0).split('e+');
  return `${mantissa}·10^${exponent}`;
};

const gigabytes = (bytes: number): string => `${showNumber(bytes / 1e9, 2)} GB`;

function costRow(size: string, command: string, { flops: operations, memory, minutes, note = '' }: Cost): string[] {
  return [size, `\`${command}\``, flops(operations), gigabytes(memory), showNumber(minutes, 2), note];
}

function costTable({ study: { name, cost } }: Reproduced | Failed): string {
  const command = `icl reproduce ${name} all`;
  return table(['size', 'command', 'flops', 'memory', 'minutes', ''], 'llrrrl', [
    costRow('quick', `${command} --quick`, cost.quick),
    costRow('full', command, cost.full),
  ]);
}

function failedSection(outcome: Failed): string {
  const { study, error } = outcome;
  const message = error instanceof Error ? error.message : String(error);
  return `## ${study.name}: ${study.title}\n\n⚑ Could not be reproduced: ${cell(message)}\n\n${costTable(outcome)}\n`;
}

function studySection(outcome: Reproduced, lead: DrawnFigure, image: string): string {
  const { study, result } = outcome;
  const { authors, year, title, arxiv } = study.paper;
  const others = study.figures.filter(({ name }) => name !== lead.name).map(({ name }) => `\`${name}\``);
  return `## ${study.name}: ${study.title}

${authors} (${year}), “${title}”, [arXiv ${arxiv}](https://arxiv.org/abs/${arxiv}).

![${lead.title}](${image})

**${lead.title}.** ${lead.caption}

${claimsTable(result.claims)}

Seed ${result.seed}, ${timeTaken(result)}. All of it again: \`${result.command}\`. ${others.length === 0 ? '' : `Other figures: ${others.join(', ')}.`}

${costTable(outcome)}
`;
}

export interface ResultsPage {
  /** Path of the Markdown file. */
  readonly path: string;
  /** The command that writes it again. */
  readonly command: string;
  readonly outcomes: readonly Outcome[];
}

/** How many claims do not hold and do not say why. */
export function unexplained(outcomes: readonly Outcome[]): number {
  const claims = outcomes.flatMap((outcome) => (isReproduced(outcome) ? outcome.result.claims : []));
  return claims.filter(({ holds, explanation }) => !holds && explanation === undefined).length;
}

function introduction({ command, outcomes }: ResultsPage): string {
  const results = outcomes.filter(isReproduced).map(({ result }) => result);
  const claims = results.flatMap((result) => result.claims);
  const flagged = claims.filter(({ holds }) => !holds).length;
  const seconds = results.reduce((sum, result) => sum + result.seconds, 0);
  const versions = Object.entries(results[0]?.versions ?? {}).map(([name, value]) => `${name} ${value}`);
  const machine = `${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${gigabytes(totalmem())}`;
  const found =
    flagged === 0
      ? `All ${claims.length} claims hold.`
      : `${claims.length - flagged} of ${claims.length} claims hold; the others are marked ⚑ and say why.`;
  return `# Results

Written by \`${command}\`: for each paper one figure, and what was claimed, what theory says and what was measured on models that
were trained here, frozen to ONNX and run by ONNX Runtime. ${found} ${showNumber(seconds / 60, 2)} minutes on ${machine}.
Versions: ${versions.join(', ')}.

z is the difference between measurement and theory in standard errors; a row with |z| > 4 is marked. Where a row covers several
points it shows the worst of them. Numbers without a standard error are compared with a limit instead, which the verdict names.
`;
}

/**
 * Writes the page, and the figures into a folder beside it that has its name: `docs/results.md`, `docs/results/*.svg`.
 * @return Paths of all files, the page last.
 */
export function writeResults(page: ResultsPage): string[] {
  const folder = join(dirname(page.path), basename(page.path, extname(page.path)));
  ensureFolder(folder);
  const files: string[] = [];
  const sections = page.outcomes.map((outcome) => {
    if (!isReproduced(outcome)) return failedSection(outcome);
    const { study, result } = outcome;
    const lead = result.figures.find(({ name }) => name === study.leadFigure)!;
    const image = join(folder, `${study.name}-${lead.name}.svg`);
    writeFileAtomic(image, readFileSync(lead.path, 'utf8'));
    files.push(image);
    return studySection(outcome, lead, `${basename(folder)}/${basename(image)}`);
  });
  writeFileAtomic(page.path, [introduction(page), ...sections].join('\n'));
  return [...files, page.path];
}
