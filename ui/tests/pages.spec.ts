/** Every page, wide and narrow, light and dark: it draws, its console is clean, and axe finds nothing serious. */
import { AxeBuilder } from '@axe-core/playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launch, NARROW, type Opened, open, placed, type Scheme, settled, WIDE } from './browser';
import { PAGES } from './pages';

const browser = launch();
beforeAll(() => browser);
afterAll(async () => (await browser).close());

const COMBINATIONS = Object.entries({ wide: WIDE, narrow: NARROW }).flatMap(([size, viewport]) =>
  (['light', 'dark'] as Scheme[]).map((scheme) => [`${size} ${scheme}`, viewport, scheme] as const),
);

describe.each(COMBINATIONS)('%s', (_, viewport, scheme) => {
  let opened: Opened;
  beforeAll(async () => {
    opened = await open(await browser, { viewport, scheme });
  });
  afterAll(() => opened.context.close());

  test.each(Object.entries(PAGES))('%s', async (name, path) => {
    const { page, faults } = opened;
    faults.length = 0;
    const place = await placed(page, path);
    if (place === null) return;
    await page.goto(place);
    await settled(page);
    expect(await page.locator('h1').first().textContent(), `${name} has a heading`).toBeTruthy();
    expect(await page.getByText('Try again').count(), `${name} shows no failure`).toBe(0);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(overflow, `${name} does not scroll sideways`).toBeLessThanOrEqual(0);
    const { violations } = await new AxeBuilder({ page })
      .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'])
      .analyze();
    const serious = violations
      .filter((each) => each.impact === 'serious' || each.impact === 'critical')
      .map((each) => `${each.id}: ${each.nodes.map((node) => node.target.join(' ')).join(', ')}`);
    expect(serious).toEqual([]);
    expect(faults).toEqual([]);
  });
});
