/** What people do: sign in, make and revoke keys, read the history of the configuration, verify the audit log. */
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { EMAIL, launch, type Opened, open, settled, signIn, URL_ } from './browser';

const browser = launch();
let opened: Opened;
beforeEach(async () => {
  opened = await open(await browser);
});
afterEach(() => opened.context.close());
afterAll(async () => (await browser).close());

test('a stranger is sent to sign in and comes back to the page that was asked for', async () => {
  await signIn(await browser);
  const context = await (await browser).newContext({ baseURL: URL_ });
  const page = await context.newPage();
  await page.goto('/keys?tab=budgets');
  await page.waitForURL(/\/sign-in\?next=/);
  await page.getByLabel('E-mail').fill(EMAIL);
  await page.locator('input[autocomplete="current-password"]').fill('wrong password entirely');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('alert').waitFor();
  expect(new URL(page.url()).pathname).toBe('/sign-in');
  await context.close();
});

test('a key is made, its token shown once, then rotated and revoked', async () => {
  const { page } = opened;
  const name = `spec-${Date.now()}`;
  await page.goto('/keys');
  await settled(page);
  await page.getByRole('button', { name: 'New key' }).first().click();
  const form = page.getByRole('dialog', { name: 'New key' });
  await form.getByLabel('Name').fill(name);
  await form.getByRole('button', { name: 'Limit' }).click();
  await form.getByLabel('Most').fill('30');
  await form.getByRole('button', { name: 'Make the key' }).click();
  const secret = page.getByRole('dialog', { name: `The token of ${name}` });
  expect(await secret.locator('code').first().textContent()).toMatch(/^nk-\w{44}$/);
  await secret.getByRole('button', { name: 'I have copied it' }).click();
  expect(await page.getByText(/nk-\w{44}/).count()).toBe(0);

  await page.getByRole('row', { name: new RegExp(name) }).click();
  const panel = page.getByRole('complementary', { name: `Key ${name}` });
  await panel.getByRole('button', { name: 'Rotate' }).click();
  await page.getByRole('button', { name: 'Make a new token' }).click();
  await page.getByRole('button', { name: 'I have copied it' }).click();
  await panel.getByRole('button', { name: 'Revoke' }).click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: `Revoke ${name}` })
    .click();
  await page.getByRole('row', { name: new RegExp(name) }).waitFor({ state: 'detached' });
});

test('a budget is made, changed and deleted', async () => {
  const { page } = opened;
  const name = `spec-${Date.now()}`;
  await page.goto('/keys?tab=budgets');
  await settled(page);
  await page.getByRole('button', { name: 'New budget' }).first().click();
  const form = page.getByRole('dialog', { name: 'New budget' });
  await form.getByLabel('Name', { exact: false }).first().fill(name);
  await form.getByLabel('Dollars').fill('12.50');
  await form.getByRole('button', { name: 'Make the budget' }).click();
  const budget = page.getByRole('region', { name: `Budget ${name}` });
  await budget.getByText('$12.50').first().waitFor();
  await page.getByRole('button', { name: `Delete ${name}` }).click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: `Delete ${name}` })
    .click();
  await budget.waitFor({ state: 'detached' });
});

test('the audit log is whole, and tells of the key', async () => {
  const { page } = opened;
  await page.goto('/settings?tab=audit');
  await settled(page);
  await page.getByRole('button', { name: 'Verify the chain' }).click();
  await page.getByText(/events, whole/).waitFor();
  await page.getByRole('row').nth(1).click();
  await page
    .getByRole('complementary', { name: /^Event / })
    .getByText('Hash before')
    .waitFor();
});

test('a change to noria.toml is planned on the page before it is applied', async () => {
  const { page } = opened;
  await page.goto('/settings');
  await settled(page);
  await page.getByRole('button', { name: 'Edit' }).click();
  await page.getByRole('textbox', { name: 'noria.toml' }).click();
  await page.keyboard.press('Control+End');
  await page.keyboard.type('\n[routes.spec]\ntargets = ["local/smollm2-135m-instruct"]\n');
  await page.getByRole('button', { name: 'See what it changes' }).click();
  await page
    .getByRole('dialog', { name: 'What apply would change' })
    .getByText('routes.spec')
    .first()
    .waitFor();
  await page.keyboard.press('Escape');
});

test('what runs is shown as it was written', async () => {
  const { page } = opened;
  await page.goto('/settings');
  await settled(page);
  await page.getByRole('heading', { name: 'noria.toml' }).waitFor();
  await page.getByLabel('noria.toml').getByText('[server]').waitFor();
});

test('light and dark are chosen, and kept', async () => {
  const { page } = opened;
  await page.goto('/settings?tab=appearance');
  await page.getByText('Dark', { exact: true }).click();
  const scheme = () => page.evaluate(() => document.documentElement.dataset.mantineColorScheme);
  await expect.poll(scheme).toBe('dark');
  await page.reload();
  await expect.poll(scheme).toBe('dark');
});
