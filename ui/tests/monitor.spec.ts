/** Monitor: an open alert is found from anywhere, looked after, and a rule is muted; a call shows its scores. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch, type Opened, open, placed, settled } from './browser';

const browser = launch();
let opened: Opened;
let watched = false;
beforeAll(async () => {
  opened = await open(await browser);
  const answer = await opened.page.request.get('/api/alerts?state=open');
  watched = ((await answer.json()) as { items: unknown[] }).items.length > 0;
});
afterAll(async () => {
  await opened.context.close();
  await (await browser).close();
});

test('an open alert is counted in the navigation, and goes when somebody looks after it', async () => {
  if (!watched) return;
  const { page, faults } = opened;
  await page.goto('/');
  const rail = page.getByRole('navigation', { name: 'Pages' });
  const mark = rail.getByText('open alerts that nobody looks after');
  await mark.waitFor({ state: 'attached' });
  await rail.getByRole('link', { name: /^Monitor/ }).click();
  const open = page.getByRole('region', { name: 'Open alerts' });
  const rows = open.getByRole('row').filter({ hasText: 'nobody' });
  await rows.first().waitFor();
  const before = await rows.count();
  await rows.first().getByRole('button', { name: 'Acknowledge' }).click();
  await page.getByLabel('What others should know').fill('I look at it');
  await page.getByRole('dialog').getByRole('button', { name: 'Acknowledge' }).click();
  await expect.poll(() => rows.count()).toBe(before - 1);
  await open.getByRole('button', { name: 'Who was told' }).first().click();
  await page.getByRole('dialog').getByText('oncall').first().waitFor();
  await page.keyboard.press('Escape');
  expect(faults).toEqual([]);
});

test('a rule is muted and told again', async () => {
  if (!watched) return;
  const { page, faults } = opened;
  await page.goto('/monitor/sorting?rule=latency_p95');
  await settled(page);
  expect(await page.locator('h2').nth(1).textContent()).toBe('latency_p95');
  await page.getByRole('button', { name: 'Mute', exact: true }).first().click();
  await page.getByRole('menuitem', { name: 'For an hour' }).click();
  const muted = page.getByRole('button', { name: /^Muted until/ });
  await muted.click();
  await page.getByRole('menuitem', { name: 'Tell again' }).click();
  await muted.waitFor({ state: 'detached' });
  expect(faults).toEqual([]);
});

test('a call shows its scores, and leads to the judge that gave one', async () => {
  if (!watched) return;
  const { page, faults } = opened;
  const place = await placed(page, '/traces/{judged}?tab=feedback');
  if (place === null) return;
  await page.goto(place);
  const scores = page.getByRole('region', { name: 'Scores by monitors' });
  await scores.getByText('polite').waitFor();
  await scores.getByRole('link', { name: "the judge's call" }).click();
  await page.getByText('tag.monitor').or(page.getByText('sorting')).first().waitFor();
  expect(faults).toEqual([]);
});
