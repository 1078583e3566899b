import { describe, expect, it } from 'vitest';
import type { EvaluationRow } from '../../infer/evaluate.ts';
import { boundClaim, comparisonsOf, statisticalClaim, zScore } from '../../studies/claims.ts';
import { html, trusted } from '../../studies/html.ts';
import { showNumber, showZ } from '../../studies/numbers.ts';
import { type ReportData, renderReport } from '../../studies/report.ts';

const attack = `<script>alert("1")</script><img src=x onerror='alert(2)'>&amp;`;
const escaped =
  '&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&lt;img src=x onerror=&#39;alert(2)&#39;&gt;&amp;amp;';

describe('html', () => {
  it('escapes everything but markup', () => {
    expect(html`<p title="${attack}">${[attack, 5, null]}</p>`.html).toBe(`<p title="${escaped}">${escaped}5</p>`);
    expect(html`<p>${trusted('<b>x</b>')}${[html`<i>${'<'}</i>`]}</p>`.html).toBe('<p><b>x</b><i>&lt;</i></p>');
  });
});

describe('renderReport', () => {
  const data: ReportData = {
    title: attack,
    paper: { title: attack, authors: attack, year: 2024, arxiv: attack },
    lead: attack,
    claims: [
      { ...boundClaim(attack, { measured: 1, limit: 2, shown: attack }), explanation: attack },
      statisticalClaim(attack, [{ label: attack, theory: 1, measured: 2, standardError: 0.1 }]),
    ],
    figures: [
      {
        name: attack,
        title: attack,
        caption: attack,
        command: attack,
        rendered: { wide: '<svg class="w"></svg>', narrow: '<svg class="n"></svg>', standalone: '' },
        table: { columns: [attack, 'n'], rows: [[attack, 1]] },
      },
    ],
    omitted: [{ title: attack, command: attack }],
    sections: [{ title: attack, text: attack, table: { columns: [attack], rows: [[attack]] } }],
    attachments: [{ title: attack, text: attack }],
    version: attack,
  };
  const page = renderReport(data);

  it('lets no text become markup', () => {
    expect(page).not.toContain('<script');
    expect(page).not.toContain('<img');
    expect(page.split(escaped).length - 1).toBeGreaterThanOrEqual(20);
  });

  it('is self-contained and forbids everything else', () => {
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"`);
    expect(page).not.toMatch(/@import|url\(|<script|<link(?! rel="icon" href="data:,")/);
    expect(page).toContain('prefers-color-scheme:dark');
    expect(page).toContain('@media print');
    expect(page).toContain('<svg class="w"></svg>');
  });

  it('flags a claim that does not hold', () => {
    expect(page.match(/class="flag"/g)).toHaveLength(1);
  });
});

describe('claims', () => {
  it('shows the worst of several comparisons', () => {
    const claim = statisticalClaim('risk', [
      { label: 'a', theory: 1, measured: 1.1, standardError: 0.1 },
      { label: 'b', theory: 2, measured: 1.5, standardError: 0.1 },
    ]);
    expect(claim).toMatchObject({ statement: 'risk; worst of 2: b', z: -5, points: 2, holds: false });
  });

  it.each([
    [4, true],
    [-4, true],
    [4.01, false],
    [Number.NaN, false],
    [Number.POSITIVE_INFINITY, false],
  ])('z = %d', (z, holds) => {
    expect(statisticalClaim('x', [{ label: '', theory: 0, measured: z, standardError: 1 }]).holds).toBe(holds);
  });

  it('does not divide rounding by rounding', () => {
    expect(zScore({ theory: 0, measured: 3e-13, standardError: 1e-14 })).toBe(0);
    expect(zScore({ theory: 0, measured: 0.5, standardError: 0 })).toBe(Number.POSITIVE_INFINITY);
  });

  it('compares only rows of the model that have a theory', () => {
    const row: EvaluationRow = {
      study: 's',
      model: 'm',
      shift: null,
      level: null,
      contextLength: 5,
      estimator: 'model',
      measure: 'squared-error',
      risk: 1,
      standardError: 0.1,
      prompts: 10,
      theory: 1,
      provider: 'cpu',
      seed: 0,
    };
    const rows = [row, { ...row, theory: null }, { ...row, estimator: 'zero' }, { ...row, shift: 'x', level: 2 }];
    expect(comparisonsOf(rows).map(({ label }) => label)).toEqual(['M = 5', 'x 2']);
  });
});

describe('numbers', () => {
  it.each([
    [null, '–'],
    [0, '0'],
    [0.123456, '0.1235'],
    [-2.5, '−2.5'],
    [1234.5, '1235'],
    [1.234e-7, '1.23e−7'],
    [Number.NaN, 'NaN'],
  ])('%s as %s', (value, text) => {
    expect(showNumber(value)).toBe(text);
  });

  it.each([
    [null, '–'],
    [-0.04, '0.0'],
    [-1.26, '−1.3'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
  ])('z %s as %s', (z, text) => {
    expect(showZ(z)).toBe(text);
  });
});
