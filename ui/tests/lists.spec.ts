/** Lists, filters, keys and the range of time: what is seen is in the URL, and back is undo. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { launch, newestTrace, type Opened, open, settled } from './browser';

const browser = launch();
let opened: Opened;
let some = false;

beforeAll(async () => {
  const { context, page } = await open(await browser);
  some = (await newestTrace(page)) !== null;
  await context.close();
});
beforeEach(async () => {
  opened = await open(await browser);
});
afterEach(() => opened.context.close());
afterAll(async () => (await browser).close());

const search = () => new URL(opened.page.url()).searchParams;

test('a typed filter becomes a chip and a word of the URL; its cross takes it out; back brings it back', async () => {
  const { page } = opened;
  await page.goto('/traces?from=-30d');
  await settled(page);
  await page.keyboard.press('/');
  await page.keyboard.type('status:ok latency>0ms');
  await page.keyboard.press('Enter');
  await expect.poll(() => search().get('q')).toBe('status:ok latency>0ms');
  await page.getByRole('button', { name: 'Remove latency>0ms' }).click();
  await expect.poll(() => search().get('q')).toBe('status:ok');
  await page.goBack();
  await expect.poll(() => search().get('q')).toBe('status:ok latency>0ms');
});

test('a filter that the server refuses says what to change', async () => {
  const { page } = opened;
  await page.goto('/traces?q=modle:gpt');
  await page.getByRole('alert').filter({ hasText: 'model' }).waitFor();
});

test('j, k, space, esc and enter walk through the list', async (context) => {
  if (!some) return context.skip();
  const { page } = opened;
  await page.goto('/traces?from=-30d');
  await settled(page);
  await page.getByRole('row').nth(1).waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('Space');
  await expect.poll(() => search().get('peek')).toMatch(/^[0-9a-f]{32}$/);
  await page
    .getByRole('complementary', { name: 'Trace' })
    .getByRole('tab', { name: 'Conversation' })
    .waitFor();
  await page.keyboard.press('Escape');
  await expect.poll(() => search().get('peek')).toBeNull();
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/traces\/[0-9a-f]{32}/);
  await page.getByRole('region', { name: 'Spans over time' }).waitFor();
});

test('a click on a facet narrows, a second click widens', async (context) => {
  if (!some) return context.skip();
  const { page } = opened;
  await page.goto('/traces?from=-30d');
  await settled(page);
  const facet = page.getByRole('region', { name: 'Facets' }).getByRole('button', { name: /^ok/ });
  await facet.click();
  await expect.poll(() => search().get('q')).toBe('status:ok');
  await expect.poll(() => facet.getAttribute('aria-pressed')).toBe('true');
  await facet.click();
  await expect.poll(() => search().get('q')).toBeNull();
});

test('a drag on a chart zooms the whole page, and zoom out widens it again', async (context) => {
  if (!some) return context.skip();
  const { page } = opened;
  await page.goto('/?from=-30d');
  await settled(page);
  const box = await page.getByRole('figure', { name: /^Latency/ }).boundingBox();
  if (!box) throw new Error('no chart');
  await page.mouse.move(box.x + box.width * 0.5, box.y + box.height * 0.6);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.7, box.y + box.height * 0.6, { steps: 4 });
  await page.mouse.up();
  await expect.poll(() => search().get('to')).toMatch(/^\d+$/);
  const span = Number(search().get('to')) - Number(search().get('from'));
  expect(span).toBeLessThan(12 * 86_400_000);
  await page.getByRole('button', { name: 'Zoom out' }).click();
  await expect.poll(() => Number(search().get('to')) - Number(search().get('from'))).toBeGreaterThan(span);
});

test('⌘K finds a page, ? lists the keys, g t goes to Traces', async () => {
  const { page } = opened;
  await page.goto('/models');
  await settled(page);
  await page.keyboard.press('Control+k');
  await page.getByRole('textbox', { name: 'Find anything' }).fill('sessions');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/sessions/);
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).getByText('Go to Traces').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor({ state: 'detached' });
  await page.keyboard.press('g');
  await page.keyboard.press('t');
  await page.waitForURL(/\/traces/);
});

test('no page runs a script of its own text or from elsewhere', async () => {
  const { page } = opened;
  const answer = await page.goto('/');
  const policy = answer?.headers()['content-security-policy'] ?? '';
  expect(policy).toContain("script-src 'self'");
  expect(policy).not.toMatch(/script-src[^;]*unsafe/);
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).origin));
  await page.reload();
  await settled(page);
  expect(new Set(asked)).toEqual(new Set([new URL(page.url()).origin]));
});

test('a first load weighs less than 250 kB compressed, charts and editors left for later', async () => {
  const { page } = opened;
  const { gzipSync } = await import('node:zlib');
  await page.goto('/settings?tab=appearance');
  await settled(page);
  const html = await (await page.request.get('/')).text();
  const files = [...html.matchAll(/(?:src|href)="(\/[^"]+\.(?:js|css))"/g)].map(
    (found) => found[1] as string,
  );
  let size = gzipSync(html).length;
  for (const file of files) size += gzipSync(await (await page.request.get(file)).body()).length;
  console.info(`first load: ${(size / 1000).toFixed(1)} kB in ${files.length} files`);
  expect(size).toBeLessThan(250_000);
});
