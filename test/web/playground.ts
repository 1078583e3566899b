/** The playground in a browser, for its tests: hands, what is taken away, and what Node's CPU provider says to it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { readModel } from '../../export/read-model.ts';
import { openSession } from '../../infer/session-node.ts';
import { promptOf } from '../../web/src/panels/playground/pairs.ts';
import { expectClose, type Tolerance } from '../tolerance.ts';
import type { LabSite } from './lab.ts';

/** float32 on wasm and on SwiftShader against float32 on the CPU, predictions of order 1; measured 1e-6. */
export const float32: Tolerance = { absolute: 1e-5, relative: 1e-5 };

export interface Row {
  readonly role: string;
  readonly x1: number;
  readonly x2: number;
  readonly y: number;
  readonly model: number;
  readonly other: number;
}

export const modelFile = (id: string) => fileURLToPath(new URL(`../../web/models/${id}.onnx`, import.meta.url));

export async function take(page: Page, button: string): Promise<string> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.click(`.taking button:text-is("${button}")`),
  ]);
  return readFileSync(await download.path(), 'utf8');
}

export async function takeRows(page: Page): Promise<Row[]> {
  const [, ...lines] = (await take(page, 'CSV')).trim().split('\r\n');
  return lines.map((line) => {
    const [role, ...cells] = line.split(',');
    const [x1, x2, y, model, other] = cells.map(Number) as [number, number, number, number, number];
    return { role: role!, x1, x2, y, model, other };
  });
}

/** What Node's CPU provider says to the pairs and queries of a CSV file of a regression. */
export async function answersInNode(id: string, rows: readonly Row[]): Promise<Float32Array> {
  const pairs = rows.filter(({ role }) => role === 'pair');
  const queries = rows.filter(({ role }) => role !== 'pair');
  const model = readModel(id, readFileSync(modelFile(id)));
  const session = await openSession(model, { provider: 'cpu', prefixes: false });
  const query = Float32Array.from(queries.flatMap(({ x1, x2 }) => [x1, x2]));
  const { prediction } = await session.run(promptOf(pairs, { kind: 'number' }, query));
  await session.close();
  return prediction;
}

export async function expectAnswersOfNode(page: Page, id = 'zhang2023-2d'): Promise<Row[]> {
  const rows = await takeRows(page);
  const got = rows.filter(({ role }) => role !== 'pair').map(({ model }) => model);
  expectClose(got, await answersInNode(id, rows), float32);
  return rows;
}

export const nameOf = (page: Page, index: number) => page.getAttribute(`[data-what="${index}"]`, 'aria-label');

/** Pixels on the screen of a place of the plane, which shows -3 to 3. */
export async function pixelsOf(page: Page, x1: number, x2: number): Promise<[number, number]> {
  const box = (await page.locator('icl-plane canvas').first().boundingBox())!;
  return [box.x + ((x1 + 3) / 6) * box.width, box.y + ((3 - x2) / 6) * box.height];
}

export async function drag(page: Page, index: number, to: readonly [number, number]): Promise<void> {
  await page.locator('icl-plane').first().scrollIntoViewIfNeeded();
  const mark = (await page.locator(`[data-what="${index}"] .mark`).boundingBox())!;
  await page.mouse.move(mark.x + mark.width / 2, mark.y + mark.height / 2);
  await page.mouse.down();
  const [x, y] = await pixelsOf(page, ...to);
  await page.mouse.move(x, y, { steps: 12 });
  await page.mouse.up();
}

/** The playground of a fresh visitor, once the live model has answered. */
export async function openPlayground(site: LabSite, options: Parameters<LabSite['visit']>[0] = {}, link = '') {
  const visitor = await site.visit({ viewport: { width: 1280, height: 1000 }, ...options });
  await visitor.page.goto(`${site.url}${link}`);
  await visitor.page.waitForSelector('icl-playground[data-ready]');
  return visitor;
}

/** The plane as it is shown was answered on the finest grid. */
export const settled = (page: Page) => page.waitForSelector('.run:has-text("65 by 65")');
