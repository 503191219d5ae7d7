/**
 * Two reviewers and an adjudicator at one queue, each in a browser context of their own and all at once: nobody
 * sees what another said before the item is closed, by page or by API, and disputes are decided by the third.
 */
import { AxeBuilder } from '@axe-core/playwright';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch, NARROW, open, type Scheme, settled, URL_, WIDE } from './browser';

const browser = launch();
const QUEUE = `spec-${Date.now()}`;
const FORM = [
  {
    name: 'verdict',
    title: 'Is the answer right?',
    kind: 'label',
    choices: [
      { value: 'right', title: 'Right' },
      { value: 'wrong', title: 'Wrong', key: 'w' },
    ],
  },
  { name: 'grade', title: 'How well is it said?', kind: 'score' },
  { name: 'fixed', title: 'What it should have been', kind: 'correction', required: false },
];
const ANSWERS = ['Paris.', 'Lyon.', 'Marseille, I believe.', 'It is Paris, on the Seine.'];
const ITEMS = ANSWERS.map((text, index) => ({
  input: { messages: [{ role: 'user', content: `What is the capital of France? (${index + 1})` }] },
  outputs: [{ name: 'model', text }],
}));

interface Person {
  name: string;
  context: BrowserContext;
  page: Page;
  faults: string[];
}
const people: Record<string, Person> = {};
let admin: Page;

/** Calls the API as the person whose page it is, as the page does. */
async function call(page: Page, path: string, body?: unknown, method = body === undefined ? 'GET' : 'POST') {
  const session = (await (await page.request.get('/api/session')).json()) as { csrf: string };
  const answer = await page.request.fetch(path, {
    method,
    headers: { 'X-CSRF-Token': session.csrf, origin: URL_ },
    ...(body === undefined ? {} : { data: body }),
  });
  expect(answer.ok(), `${path}: ${answer.status()} ${await answer.text()}`).toBe(true);
  return answer.json();
}

async function join(name: string): Promise<Person> {
  const email = `${name}-${Date.now()}@example.com`;
  const { link } = (await call(admin, '/api/accounts', { email, name, roles: { default: 'editor' } })) as {
    link: string;
  };
  const context = await (await browser).newContext({
    baseURL: URL_,
    viewport: WIDE,
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  await page.goto(link);
  const passwords = page.locator('input[autocomplete="new-password"]');
  await passwords.nth(0).fill('a long enough password 7');
  await passwords.nth(1).fill('a long enough password 7');
  await page.locator('button[type="submit"]').click();
  await page.getByRole('link', { name: 'Noria: Pulse' }).waitFor();
  return { name, context, page, faults };
}

beforeAll(async () => {
  admin = (await open(await browser)).page;
  await call(admin, '/api/queues', {
    name: QUEUE,
    form: FORM,
    reviews: 2,
    grace_s: 0,
    guidelines: 'Be fair.',
  });
  await call(admin, `/api/queues/${QUEUE}/items`, { items: ITEMS });
  for (const name of ['ann', 'bob', 'cat']) people[name] = await join(name);
}, 120_000);
afterAll(async () => (await browser).close());

function person(name: string): Person {
  const found = people[name];
  if (!found) throw new Error(`${name} has not joined`);
  return found;
}

/** What is told to the person about the queue, wherever it can be read. */
async function everything(page: Page): Promise<string> {
  const paths = [
    `/api/queues/${QUEUE}`,
    `/api/queues/${QUEUE}/items?limit=200`,
    `/api/queues/${QUEUE}/agreement`,
    `/api/queues/${QUEUE}/results`,
    `/api/queues/${QUEUE}/export`,
  ];
  const found = await Promise.all(paths.map(async (path) => (await page.request.get(path)).text()));
  return found.join('\n');
}

/** Answers the item on the screen by keys alone. */
async function review(page: Page, verdict: '1' | 'w', grade: string, fixed = '') {
  const number = await page.getByRole('article').getAttribute('aria-label');
  await page.keyboard.press(verdict);
  await page.keyboard.press(grade);
  if (fixed) {
    await page.keyboard.press('e');
    await page.keyboard.type(fixed);
    await page.keyboard.press('Control+Enter');
  } else await page.keyboard.press('Enter');
  await page.getByText(`${number} is answered.`).waitFor();
}

test('two review blind at the same time, by keys alone', async () => {
  const [ann, bob] = [person('ann').page, person('bob').page];
  await Promise.all([ann, bob].map((page) => page.goto(`/review/${QUEUE}`)));
  await Promise.all([ann, bob].map((page) => page.getByRole('article').waitFor()));
  expect(await ann.getByText('4 left for you').count()).toBe(1);
  await review(ann, 'w', '2', 'CORRECTED BY ANN');
  // Bob is at the same item, and has no way to learn what Ann said.
  expect(await everything(bob)).not.toContain('CORRECTED BY ANN');
  await bob.goto(`/review/${QUEUE}?tab=items`);
  await bob.getByRole('row').nth(1).click();
  await bob.getByText('What others answer is shown when the item is closed.').waitFor();
  expect(await bob.content()).not.toContain('CORRECTED BY ANN');
  await bob.goto(`/review/${QUEUE}`);
  await bob.getByRole('article').waitFor();
  // At once: Ann goes on with the others while Bob does the first.
  await Promise.all([
    (async () => {
      await review(ann, 'w', '2');
      await review(ann, 'w', '1');
      await review(ann, '1', '5');
    })(),
    (async () => {
      await review(bob, '1', '2');
      await review(bob, 'w', '2');
      await review(bob, 'w', '1');
      await review(bob, '1', '5');
    })(),
  ]);
  await ann.getByText('Nothing is left for you here').waitFor();
  await bob.getByText('Nothing is left for you here').waitFor();
});

test('the dispute is decided by who has not reviewed it', async () => {
  const [ann, cat] = [person('ann').page, person('cat').page];
  await ann.goto(`/review/${QUEUE}?tab=decide`);
  await ann.getByText('Nothing for you to decide').waitFor();
  await cat.goto(`/review/${QUEUE}?tab=decide`);
  const said = cat.getByRole('region', { name: 'What the reviewers answered' });
  await said.getByText('CORRECTED BY ANN').waitFor();
  expect(await said.getByText('ann', { exact: true }).count()).toBe(0);
  await cat.keyboard.press('w');
  await cat.keyboard.press('Enter');
  await cat.getByText('Item 1 is answered.').waitFor();
  await ann.goto(`/review/${QUEUE}?tab=items&state=done`);
  await ann.getByRole('row').nth(1).click();
  const panel = ann.getByRole('complementary', { name: 'Item 1' });
  await panel.getByText('Settled by adjudication').waitFor();
  await panel.getByText('cat (decided)').waitFor();
});

test('agreement is shown with its doubt', async () => {
  const { page } = person('ann');
  await page.goto(`/review/${QUEUE}?tab=agreement`);
  const table = page.getByRole('table', { name: 'Agreement by question' });
  await table.getByRole('row', { name: /Is the answer right/ }).waitFor();
  const found = (await call(page, `/api/queues/${QUEUE}/agreement`)) as {
    questions: { question: string; alpha: { estimate: number } }[];
  };
  // Krippendorff's alpha of (wrong, right), (wrong, wrong), (wrong, wrong), (right, right): 1 - (7 * 2) / 30.
  expect(found.questions[0]?.alpha.estimate).toBeCloseTo(1 - (7 * 2) / (2 * 5 * 3), 9);
});

test('an answer is taken back by u, and an item skipped with a reason by s', async () => {
  const name = `${QUEUE}-undo`;
  await call(admin, '/api/queues', { name, form: FORM, reviews: 1, grace_s: 600 });
  await call(admin, `/api/queues/${name}/items`, { items: ITEMS.slice(0, 2) });
  const { page } = person('ann');
  await page.goto(`/review/${name}`);
  await page.getByRole('article', { name: 'Item 1' }).waitFor();
  await review(page, '1', '5');
  await page.getByRole('article', { name: 'Item 2' }).waitFor();
  await page.keyboard.press('u');
  await page.getByRole('article', { name: 'Item 1' }).waitFor();
  expect(await page.getByRole('radio', { name: 'Right' }).getAttribute('aria-checked')).toBe('true');
  await page.keyboard.press('s');
  await page.getByRole('dialog', { name: 'Skip this item' }).waitFor();
  await page.keyboard.type('cannot tell');
  await page.keyboard.press('Enter');
  await page.getByText('Item 1 is left to others.').waitFor();
  await page.getByRole('article', { name: 'Item 2' }).waitFor();
});

test('which of two is better', async () => {
  const name = `${QUEUE}-pairs`;
  const form = [{ name: 'better', title: 'Which answer is better?', kind: 'preference' }];
  await call(admin, '/api/queues', { name, form, reviews: 1, grace_s: 0 });
  const outputs = [
    { name: 'small', text: 'Lyon.' },
    { name: 'large', text: 'Paris.' },
  ];
  await call(admin, `/api/queues/${name}/items`, {
    items: [{ input: { input: 'Capital of France?' }, outputs }],
  });
  const { page } = person('bob');
  await page.goto(`/review/${name}`);
  const first = page.getByRole('region', { name: 'Output A' });
  await first.waitFor();
  expect(await page.getByText('large').count()).toBe(0);
  const key = (await first.textContent())?.includes('Paris') ? 'a' : 'b';
  await page.keyboard.press(key);
  await page.keyboard.press('Enter');
  await page.getByText('Item 1 is answered.').waitFor();
  await page.goto(`/review/${name}?tab=agreement`);
  await page.getByRole('region', { name: 'Which answer is better?' }).getByText('large').waitFor();
});

test('a queue is made on the page', async () => {
  const name = `${QUEUE}-made`;
  await admin.goto('/review');
  await settled(admin);
  await admin.getByRole('button', { name: 'New queue' }).click();
  const form = admin.getByRole('dialog', { name: 'New queue' });
  await form.getByLabel('Name', { exact: false }).first().fill(name);
  await form.getByLabel('What is asked').fill('Tone');
  for (const choice of ['kind', 'rude']) {
    await form.getByLabel('Choices').fill(choice);
    await admin.keyboard.press('Enter');
  }
  await form.getByRole('button', { name: 'Make the queue' }).click();
  await admin.waitForURL(new RegExp(`/review/${name}`));
  await admin.getByText('The queue is empty').waitFor();
});

const TABS = ['', '?tab=decide', '?tab=items', '?tab=agreement', '?tab=guidelines'];
const SIZES = Object.entries({ wide: WIDE, narrow: NARROW }).flatMap(([size, viewport]) =>
  (['light', 'dark'] as Scheme[]).map((scheme) => [size, scheme, viewport] as const),
);

test.each(SIZES)(
  '%s %s: axe finds nothing, nothing is wider than the window',
  async (size, scheme, viewport) => {
    const look = `${QUEUE}-look-${size}-${scheme}`;
    await call(admin, '/api/queues', {
      name: look,
      reviews: 2,
      form: [
        ...FORM,
        {
          name: 'issues',
          title: 'What is wrong with it?',
          kind: 'labels',
          choices: [{ value: 'facts' }, { value: 'tone' }],
        },
        { name: 'use', title: 'Usability', kind: 'survey', instrument: 'umux-lite' },
      ],
    });
    await call(admin, `/api/queues/${look}/items`, { items: ITEMS });
    const { context, page, faults } = await open(await browser, { viewport, scheme });
    const places = ['/review', `/review/${look}`, ...TABS.map((tab) => `/review/${QUEUE}${tab}`)];
    for (const place of places) {
      await page.goto(place);
      await settled(page);
      const found = await new AxeBuilder({ page }).analyze();
      const serious = found.violations.filter((each) => ['serious', 'critical'].includes(each.impact ?? ''));
      expect(serious.map((each) => `${place} ${each.id}: ${each.nodes[0]?.html}`)).toEqual([]);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(wide, place).toBeLessThanOrEqual(0);
      if (process.env.SCREENSHOTS) {
        const file = place.replace(QUEUE, 'queue').replace(/[/?=]+/g, '-');
        await page.screenshot({ path: `${process.env.SCREENSHOTS}/${size}-${scheme}${file}.png` });
      }
    }
    expect(faults).toEqual([]);
    for (const each of Object.values(people)) expect(each.faults).toEqual([]);
    await context.close();
  },
  120_000,
);
