/**
 * `report.html`: one file without scripts, fonts or addresses that are fetched. Knows how a report looks, and nothing about
 * any paper; every text that came from a file or a driver is escaped.
 */
import type { RenderedFigure } from './figures/render.ts';
import { type Content, html, type Markup, trusted } from './html.ts';
import { showNumber, showZ } from './numbers.ts';
import { reportStyle } from './report-style.ts';
import type { Claim, Paper } from './study.ts';

export interface ReportTable {
  readonly columns: readonly string[];
  /** Numbers stand right, words left. */
  readonly rows: readonly (readonly (string | number | null)[])[];
}

export interface ReportFigure {
  readonly name: string;
  readonly title: string;
  /** What is seen, in a sentence or two. */
  readonly caption: string;
  /** The command that draws it again. */
  readonly command: string;
  readonly rendered: RenderedFigure;
  /** The numbers behind it. */
  readonly table: ReportTable;
}

export interface ReportSection {
  readonly title: string;
  readonly text: string;
  readonly table: ReportTable;
}

export interface ReportData {
  readonly title: string;
  readonly paper: Paper;
  /** The first paragraph: what was done and found. */
  readonly lead: string;
  readonly claims: readonly Claim[];
  readonly figures: readonly ReportFigure[];
  /** Figures that were left out because they take long, with the command that draws each. */
  readonly omitted: readonly { readonly title: string; readonly command: string }[];
  /** Models, verification, environment, .. */
  readonly sections: readonly ReportSection[];
  /** Texts that are folded away, such as configurations. */
  readonly attachments: readonly { readonly title: string; readonly text: string }[];
  readonly version: string;
}

/** Keeps `N = 20` on one line. */
const tidy = (text: string): string => text.replaceAll(/\b([A-Za-z]) ([=≈]) /g, '$1\u00a0$2\u00a0');

/** A command that breaks between its words only, so that no option is torn from its dashes. */
const commandLine = (text: string): Markup =>
  html`<code>${text.split(' ').map((word, i) => html`${i === 0 ? '' : ' '}${word.length < 30 ? html`<span class="word">${word}</span>` : word}`)}</code>`;

function claimsTable(claims: readonly Claim[]): Markup {
  const number = (label: string, text: string) => html`<td class="n" data-label="${label}">${text}</td>`;
  const rows = claims.map(
    ({ statement, theory, measured, standardError, z, verdict, holds, explanation }) =>
      html`<tr><td>${tidy(statement)}${explanation === undefined ? null : html`<p class="why">${tidy(explanation)}</p>`}</td>${number('theory', showNumber(theory))}${number('measured', showNumber(measured))}${number('std. error', showNumber(standardError, 2))}${number('z', showZ(z))}<td>${holds ? verdict : html`<span class="flag">⚑ ${verdict}</span>`}</td></tr>`,
  );
  return html`<table class="stack"><thead><tr><th>claim</th><th class="n">theory</th><th class="n">measured</th><th class="n">std. error</th><th class="n">z</th><th>verdict</th></tr></thead><tbody>${rows}</tbody></table>`;
}

function plainTable({ columns, rows }: ReportTable): Markup {
  const isNumber = columns.map((_, i) => rows.every((row) => typeof row[i] !== 'string'));
  const cell = (value: string | number | null, i: number): Content => {
    const text = typeof value === 'string' ? value : showNumber(value);
    return isNumber[i] ? html`<td class="n">${text}</td>` : html`<td>${text}</td>`;
  };
  const head = columns.map((title, i) => (isNumber[i] ? html`<th class="n">${title}</th>` : html`<th>${title}</th>`));
  return html`<div class="scroll" role="region" aria-label="table" tabindex="0"><table><thead><tr>${head}</tr></thead><tbody>${rows.map((row) => html`<tr>${row.map(cell)}</tr>`)}</tbody></table></div>`;
}

function figureBlock({ name, title, caption, command, rendered, table }: ReportFigure, index: number): Markup {
  return html`<figure id="${name}"><h3>${index + 1}. ${title}</h3>
<div class="wide">${trusted(rendered.wide)}</div><div class="narrow">${trusted(rendered.narrow)}</div>
<figcaption>${tidy(caption)}</figcaption>
<p class="how">Drawn by ${commandLine(command)}</p>
<details><summary>The numbers</summary>${plainTable(table)}</details></figure>
`;
}

/** The whole page. */
export function renderReport(data: ReportData): string {
  const { title, paper, lead, claims, figures, omitted, sections, attachments, version } = data;
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"><meta name="color-scheme" content="light dark"><link rel="icon" href="data:,"><title>${title}</title><style>${trusted(reportStyle)}</style></head>
<body><main>
<header><p class="kicker">icl-onnx report</p><h1>${title}</h1>
<p class="by">after ${paper.authors} (${paper.year}), “${paper.title}”, <a href="https://arxiv.org/abs/${paper.arxiv}">arXiv ${paper.arxiv}</a></p>
<p class="lead">${tidy(lead)}</p></header>
<section><h2>What was found</h2>
<p>Each row compares a measurement with the closed form. z is the difference in standard errors; a row is flagged when it is larger than 4. Where a row covers several points it shows the worst of them.</p>
${claimsTable(claims)}</section>
<section><h2>Figures</h2>
${figures.map(figureBlock)}${omitted.map(
  ({
    title,
    command,
  }) => html`<p class="how">Left out, since it takes long: “${title}”. Drawn by ${commandLine(command)}</p>
`,
)}</section>
${sections.map((section) => html`<section><h2>${section.title}</h2><p>${section.text}</p>${plainTable(section.table)}</section>\n`)}
<section class="screen"><h2>Configurations</h2>
${attachments.map((attachment) => html`<details><summary>${attachment.title}</summary><pre>${attachment.text}</pre></details>\n`)}</section>
<footer>Written by icl-onnx ${version}. Every number here can be drawn again from the seeds and configurations above.</footer>
</main></body></html>
`;
  return page.html;
}
