/** Prompts, datasets, evaluations and judges: what people do with them; skipped where the server has none. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { launch, type Opened, open, placed, settled } from './browser';

const browser = launch();
let opened: Opened;
let some = false;

beforeAll(async () => {
  const { context, page } = await open(await browser);
  some = (await placed(page, '{run}')) !== null;
  await context.close();
});
beforeEach(async () => {
  opened = await open(await browser);
});
afterEach(() => opened.context.close());
afterAll(async () => (await browser).close());

const search = () => new URL(opened.page.url()).searchParams;

test('two ticked runs are compared, and a regression is opened side by side', async (context) => {
  if (!some) return context.skip();
  const { page } = opened;
  await page.goto('/evaluations?name=triage');
  await settled(page);
  await page.getByRole('checkbox', { name: /acme\/small/ }).check();
  await page
    .getByRole('checkbox', { name: /v3 · acme\/large/ })
    .first()
    .check();
  await page.getByRole('link', { name: 'Compare 2 runs' }).click();
  await page.waitForURL(/\/evaluations\/compare/);
  await page.getByText('worse').first().waitFor();
  await page.getByRole('link', { name: 'Walk through all that got worse' }).click();
  await expect.poll(() => search().get('show')).toBe('worse');
  await page.getByRole('row').nth(1).click();
  await page
    .getByRole('complementary', { name: /^Example / })
    .getByText('Baseline')
    .waitFor();
});

test('a run says what it may cost before it begins, shows its progress, and can be stopped', async (context) => {
  if (!some) return context.skip();
  const { page } = opened;
  await page.goto('/evaluations?new=slowly');
  await page.getByText(/160 answers, at most/).waitFor();
  await page.getByRole('switch', { name: 'Ask everything anew' }).check({ force: true });
  await page.getByRole('button', { name: 'Begin the run' }).click();
  await page.waitForURL(/\/evaluations\/run_/);
  await page.getByText(/of 160 answers/).waitFor();
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByText('stopped').first().waitFor({ timeout: 20_000 });
});

test('an example is revised, and the difference is shown by field', async (context) => {
  if (!some) return context.skip();
  const { page } = opened;
  await page.goto('/datasets/messages?example=q0010');
  await page.getByRole('button', { name: 'Revise' }).click();
  await page.getByLabel('Why').fill('a better label');
  await page.getByLabel('Expected').fill(`account ${Date.now()}`);
  await page.getByRole('button', { name: 'Save as a new version' }).click();
  await page.getByText('was changed').first().waitFor();
  await page.goto('/datasets/messages?tab=diff');
  await page.getByText('expected', { exact: true }).waitFor();
});

test('a prompt gets a version, and a label moves to it and back', async (context) => {
  if (!some) return context.skip();
  const { page } = opened;
  await page.goto('/prompts/triage?edit=main');
  await page.getByRole('textbox', { name: 'Message 1, system' }).getByText('You sort messages').waitFor();
  await page.getByRole('textbox', { name: 'Message 1, system' }).click();
  await page.keyboard.press('Control+End');
  await page.keyboard.type(` Be quick (${Date.now()}).`);
  await page.getByLabel('What is new').fill('Quicker');
  await page.getByRole('button', { name: 'Save as a new version' }).click();
  await page.getByText('Be quick').first().waitFor();
  await page.getByRole('tab', { name: 'Promotion' }).click();
  await page
    .getByRole('button', { name: /^Move staging to version/ })
    .first()
    .click();
  await page.getByLabel('Why').fill('to be tried');
  await page.getByRole('button', { name: 'Move the label' }).click();
  await page.getByRole('button', { name: 'staging', exact: true }).click();
  await page.getByText('to be tried').waitFor();
  await page.getByRole('button', { name: 'Roll back to the version before' }).click();
  await page.getByText('Rolled back on the page').waitFor();
});

test('a prompt runs in the Playground, and its answer is saved as an example', async (context) => {
  if (!some) return context.skip();
  const { page } = opened;
  await page.goto('/playground?prompt=triage@3');
  await page.getByLabel('input').fill('Where is my parcel?');
  await page.getByRole('button', { name: 'Run this column' }).first().click();
  await page.getByRole('button', { name: 'Save as example' }).first().click();
  await page.getByRole('dialog').getByLabel('Dataset').fill('from-playground');
  await page.getByRole('button', { name: 'Save the example' }).click();
  await page.getByText(/It is in version/).waitFor();
});

test('a judge below its bar may not decide, and the page says why', async (context) => {
  if (!some) return context.skip();
  const { page } = opened;
  await page.goto('/judges/careless');
  await page.getByText(/kappa must be at least 0.6/).waitFor();
});
