/** The page as a whole: it starts, keeps its policy, can be used by everybody, and says why where it cannot run. */

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { panels } from '../../web/src/app/panels.ts';
import { hasChromium } from '../chromium.ts';
import { expectAccessible, expectNoSidewaysScroll, type LabSite, openLabSite } from './lab.ts';

describe.runIf(hasChromium)('the page', () => {
  let site: LabSite;
  beforeAll(async () => {
    site = await openLabSite();
  });
  afterAll(() => site?.close());

  describe.each(panels.map(({ name, tag }) => ({ name, tag })))('panel $name', ({ name, tag }) => {
    test.each(['light', 'dark'] as const)('has no accessibility violation in %s', async (colorScheme) => {
      const { page, problems } = await site.visit({ colorScheme });
      await page.goto(`${site.url}#${name}`);
      await page.waitForSelector(tag);
      await page.waitForTimeout(1500); // Until the panel has answered.
      await expectAccessible(page);
      expect(problems).toEqual([]);
      await page.context().close();
    });

    test('fits a telephone', async () => {
      const { page } = await site.visit({ viewport: { width: 360, height: 740 } });
      await page.goto(`${site.url}#${name}`);
      await page.waitForSelector(tag);
      await page.waitForTimeout(1500); // Until the panel has answered.
      await expectNoSidewaysScroll(page);
      await page.context().close();
    });
  });

  test('opened from a file it says why it cannot run', async () => {
    const { page } = await site.visit();
    await page.goto(pathToFileURL(join(site.folder, 'index.html')).href);
    await page.waitForSelector('#cannot-start:not([hidden])');
    expect(await page.textContent('#cannot-start')).toContain('Serve its folder over http');
    await page.context().close();
  });

  test('a link that names what does not exist says so', async () => {
    const { page } = await site.visit();
    await page.goto(`${site.url}#nowhere`);
    await page.waitForSelector('[role=alert]');
    expect(await page.textContent('[role=alert]')).toContain('nowhere');
    await page.context().close();
  });
});
