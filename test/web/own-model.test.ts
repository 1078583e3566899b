/** Your model: files chosen and dropped, good and hostile ones, what is shown of them, and parity on this machine. */
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportModel } from '../../export/export-model.ts';
import { serializeModel } from '../../export/serialize.ts';
import { hasChromium } from '../chromium.ts';
import { randomModel } from '../export/fixtures.ts';
import { embeddingModel, input } from '../export/foreign-models.ts';
import { expectAccessible, expectNoSidewaysScroll, type LabSite, openLabSite } from './lab.ts';

/** SwiftShader compiles shaders for seconds, on a busy machine for many. */
const patience = 240_000;
const panel = 'icl-own-model';

/** A file whose every text is markup. */
const markup = '<img src=x onerror="document.title=1"><script>document.title=2</script><b>bold</b>';
const hostile = exportModel({
  ...randomModel(2),
  study: markup,
  author: markup,
  license: markup,
  convertedFrom: markup,
  config: { [markup]: markup },
  training: { [markup]: markup },
  parity: [{ provider: markup, maxRelative: 1, ok: true }],
});

describe.runIf(hasChromium)('your model', () => {
  let site: LabSite;
  beforeAll(async () => {
    site = await openLabSite();
  });
  afterAll(() => site?.close());

  const visit = async (options: Parameters<LabSite['visit']>[0] = {}, query = '') => {
    const visitor = await site.visit(options);
    visitor.page.setDefaultTimeout(60_000);
    await visitor.page.goto(`${site.url}#own-model${query}`);
    await visitor.page.waitForSelector(`${panel}[data-ready]`);
    return visitor;
  };
  const choose = (page: Page, name: string, bytes: Uint8Array) =>
    page.setInputFiles(`${panel} input[type=file]`, { name, mimeType: '', buffer: Buffer.from(bytes) });
  const textOf = (page: Page, selector: string) => page.locator(`${panel} ${selector}`).innerText();

  test('a file that is chosen is described, offered to the panels, downloaded again and removed', async () => {
    const { page, problems } = await visit();
    const bytes = exportModel(randomModel(2), { prefixes: true });
    await choose(page, 'mine.onnx', bytes);
    await page.waitForSelector(`${panel} .own-name:text-is("mine.onnx")`);
    expect(await textOf(page, '.facts >> nth=0')).toMatch(/trained numbers\s+18\s/);
    expect(await textOf(page, '[aria-label="Inputs and outputs"]')).toContain('float32 [batch, context, 2]');
    await page.waitForSelector(`${panel} icl-figure-frame svg`);
    const uses = page.locator(`${panel} .uses a`);
    expect(await uses.allInnerTexts()).toEqual(['Robustness', 'Playground']);
    expect(await uses.first().getAttribute('href')).toBe('#robustness?model=own-1');

    const [download] = await Promise.all([page.waitForEvent('download'), page.click('text=Download .onnx')]);
    expect(download.suggestedFilename()).toBe('mine.onnx');
    expect(readFileSync(await download.path())).toEqual(Buffer.from(bytes));

    await page.click('text=Remove');
    await page.waitForSelector(`${panel} .own-name:text-is("Linear attention")`);
    expect(await page.locator(`${panel} option[value=own-1]`).count()).toBe(0);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test('a file that is dropped, whose texts are markup: they are shown as text', async () => {
    const { page, problems } = await visit();
    const title = await page.title();
    const transfer = await page.evaluateHandle(
      (bytes) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([Uint8Array.from(bytes)], '<b>dropped</b>.onnx'));
        return transfer;
      },
      [...hostile],
    );
    await page.locator(`${panel} .own-model`).dispatchEvent('drop', { dataTransfer: transfer });
    await page.waitForSelector(`${panel} .own-name:text-is("<b>dropped</b>.onnx")`);
    expect(await textOf(page, '.facts >> nth=0')).toContain(markup);
    expect(await page.locator(`${panel} :is(img, script, b)`).count()).toBe(0);
    expect(await page.title()).toBe(title);
    await page.click('text=Task, training and configuration');
    expect(await textOf(page, '.own-model')).toContain(markup);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test('what is no model of ours gives its reason, and the model before stays', async () => {
    const { page, problems } = await visit();
    const whole = exportModel(randomModel(2));
    const cases: readonly [string, Uint8Array, RegExp][] = [
      ['cut.onnx', whole.slice(0, whole.length - 20), /cut\.onnx: .*breaks off after \d+ bytes/],
      ['empty.onnx', new Uint8Array(), /empty\.onnx: .*an empty file/],
      [
        'picture.onnx',
        Uint8Array.from({ length: 300 }, (_, i) => (i * 37) % 251),
        /picture\.onnx: expected an ONNX file/,
      ],
    ];
    for (const [name, bytes, message] of cases) {
      await choose(page, name, bytes);
      await page.waitForSelector(`${panel} [role=alert]:has-text("${name}")`);
      expect(await textOf(page, '[role=alert]')).toMatch(message);
    }
    expect(await textOf(page, '.own-name')).toBe('Linear attention');
    expect(await page.locator(`${panel} optgroup[label=Yours]`).count()).toBe(0);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test('a link to a model that is not here says that links carry no files', async () => {
    const visitor = await site.visit();
    await visitor.page.goto(`${site.url}#own-model?model=own-7`);
    await visitor.page.waitForSelector(`${panel} [role=alert]`);
    expect(await visitor.page.locator(`${panel} [role=alert]`).innerText()).toContain('A link cannot carry a file');
    await visitor.page.context().close();
  });

  test('parity on WebAssembly and WebGPU, against the reference and each other', { timeout: patience }, async () => {
    const { page, problems } = await visit();
    page.setDefaultTimeout(patience);
    await choose(page, 'mine.onnx', exportModel(randomModel(2)));
    await page.waitForSelector(`${panel} .own-name:text-is("mine.onnx")`);
    await page.check('text=On WebGPU too');
    await page.click('text=Verify here');
    await page.waitForSelector('icl-parity tbody tr >> nth=2');
    const rows = await page.locator('icl-parity tbody tr').allInnerTexts();
    expect(rows.map((row) => row.split('\t').slice(0, 2).join(': '))).toEqual([
      'WebAssembly and the float64 reference: ✓ agree',
      'WebGPU and the float64 reference: ✓ agree',
      'WebGPU and WebAssembly: ✓ agree',
    ]);
    expect(rows[1]).toContain('swiftshader');
    expect(await textOf(page, 'icl-parity')).toContain('farthest apart at prediction[');
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test('a file that was made elsewhere is adapted and answers in the playground', async () => {
    const { page, problems } = await visit();
    await choose(page, 'theirs.onnx', serializeModel(embeddingModel()));
    await page.waitForSelector(`${panel} icl-foreign-model`);
    expect(await textOf(page, 'icl-foreign-model')).toContain('by elsewhere 2.1');
    expect(await textOf(page, '[aria-label="Inputs and outputs"]')).toContain('float32 [batch, seq, 3]');
    expect(await textOf(page, '.adapter .radios')).toContain('tokens: rows (x, y), the query last with y = 0');
    await expectAccessible(page);
    await page.click('text=Adapt and use');
    await page.waitForSelector(`${panel} .own-name:text-is("theirs-adapted.onnx")`);
    expect(await textOf(page, '.facts >> nth=0')).toContain('theirs.onnx, by elsewhere 2.1');
    expect(await textOf(page, 'icl-parity')).toContain('no float64 reading');
    await page.click(`${panel} .uses a:text-is("Playground")`);
    await page.waitForSelector('icl-playground[data-ready]');
    expect(await page.locator('icl-playground').innerText()).toContain('theirs-adapted.onnx');
    expect(await page.locator('icl-playground [role=alert]').count()).toBe(0);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test('a file that no adapter fits says why', async () => {
    const { page, problems } = await visit();
    const model = embeddingModel();
    const fixed = { ...model, graph: { ...model.graph, inputs: [input('tokens', 1, 21, 3)] } };
    await choose(page, 'fixed.onnx', serializeModel(fixed));
    await page.waitForSelector(`${panel} icl-foreign-model [role=alert]`);
    expect(await textOf(page, 'icl-foreign-model [role=alert]')).toContain('export it with dynamic axes');
    await page.click('text=Leave it');
    await page.waitForSelector(`${panel} .own-name:text-is("Linear attention")`);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test.each(['light', 'dark'] as const)('everybody can use it in %s, also on a telephone', async (colorScheme) => {
    const { page, problems } = await visit({ colorScheme });
    await page.waitForSelector(`${panel} icl-figure-frame svg`);
    await page.click('text=Verify here');
    await page.waitForSelector('icl-parity tbody tr');
    for (const summary of await page.locator(`${panel} .own-model summary`).all()) await summary.click();
    await expectAccessible(page);
    await page.setViewportSize({ width: 360, height: 740 });
    await expectNoSidewaysScroll(page);
    expect(problems).toEqual([]);
    await page.context().close();
  });
});
