/** Playground and Chat with a model that really answers; skipped where no route can be called. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { launch, type Opened, open, settled } from './browser';

const browser = launch();
const MODEL = process.env.NORIA_MODEL;
let opened: Opened;
let model = '';

beforeAll(async () => {
  const { context, page } = await open(await browser);
  const answer = await page.request.get('/api/playground/models');
  const { items } = (await answer.json()) as { items: { id: string; capabilities: string[] }[] };
  model =
    MODEL ?? items.find((each) => each.id === 'default' || each.capabilities.includes('chat'))?.id ?? '';
  await context.close();
});
beforeEach(async () => {
  opened = await open(await browser);
});
afterEach(() => opened.context.close());
afterAll(async () => (await browser).close());

test('two columns stream side by side, with figures and their traces', async (context) => {
  if (!model) return context.skip();
  const { page } = opened;
  await page.goto(`/playground?models=${encodeURIComponent(`${model},${model}`)}`);
  await settled(page);
  await page.getByLabel('Message 2, user').fill('Say {{word}} and nothing else.');
  await page.getByLabel('word').fill('river');
  for (const each of [0, 1]) {
    await page.getByRole('button', { name: 'Parameters' }).nth(each).click();
    await page.getByLabel('Most output tokens').fill('12');
    if (each === 0) await page.getByLabel('Tint tokens by their probability').check();
    await page.keyboard.press('Escape');
  }
  await page.keyboard.press('Control+Enter');
  const links = page.getByRole('link', { name: 'Trace', exact: true });
  await expect.poll(() => links.count(), { timeout: 30_000 }).toBe(2);
  for (const each of [0, 1]) {
    const answer = page.getByRole('region', { name: 'Answer' }).nth(each);
    expect((await answer.textContent())?.length).toBeGreaterThan(0);
    expect(await answer.getByRole('alert').count()).toBe(0);
  }
  await expect.poll(() => page.getByText(/tokens\/s/).count()).toBe(2);
  await links.first().click();
  await page.waitForURL(/\/traces\/[0-9a-f]{32}/);
  await page
    .getByRole('button', { name: 'Replay in Playground' })
    .or(page.getByRole('link', { name: 'Replay in Playground' }))
    .click();
  await page.waitForURL(/\/playground/);
  await expect
    .poll(() => page.getByLabel(/^Message \d, user/).inputValue())
    .toBe('Say river and nothing else.');
});

test('a chat streams, can be stopped, asked again and judged, and is there after a reload', async (context) => {
  if (!model) return context.skip();
  const { page } = opened;
  await page.goto(`/chat?model=${encodeURIComponent(model)}`);
  await settled(page);
  await page.getByLabel('Message').fill('Tell me a long story about a river.');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Stop' }).waitFor();
  await page.waitForTimeout(1500);
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByText('Stopped.').waitFor();
  await page.getByRole('button', { name: 'Change the question' }).click();
  await page.getByRole('textbox', { name: 'Change the question' }).fill('Say hello.');
  await page.getByRole('button', { name: 'Ask again from here' }).click();
  await page.getByRole('button', { name: 'Try again' }).waitFor({ timeout: 45_000 });
  expect(await page.getByText('Stopped.').count()).toBe(0);
  await page.getByRole('button', { name: 'This helped', exact: true }).click();
  await page.getByLabel('Why? (optional)').fill('Short.');
  await page.getByRole('button', { name: 'Thank you' }).click();
  await page.reload();
  await page.getByRole('log').getByText('Say hello.').waitFor();
});
