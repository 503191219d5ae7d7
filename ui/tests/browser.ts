/**
 * A browser and a signed-in page, for the specs beside this file. They drive a real server:
 * NORIA_URL names it, and either NORIA_SETUP_TOKEN (of a fresh one) or NORIA_EMAIL and NORIA_PASSWORD open it.
 * CHROMIUM names a browser to use instead of the packaged one.
 */
import packaged from '@sparticuz/chromium';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

export const URL_ = (process.env.NORIA_URL ?? 'http://127.0.0.1:8400').replace(/\/$/, '');
export const EMAIL = process.env.NORIA_EMAIL ?? 'ada@example.com';
export const PASSWORD = process.env.NORIA_PASSWORD ?? 'a long enough password 7';

export const WIDE = { width: 1440, height: 900 };
export const NARROW = { width: 390, height: 844 };
export type Scheme = 'light' | 'dark';

export async function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? (await packaged.executablePath()),
    // Not the package's own: they put all in one process and switch security off, which is not what people run.
    args: [
      '--no-sandbox',
      '--no-zygote',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
    ],
    headless: true,
  });
}

type State = Awaited<ReturnType<BrowserContext['storageState']>>;
let state: State | null = null;

/** Makes the first account where there is none, else signs in; once for all specs of a file. */
export async function signIn(browser: Browser): Promise<State> {
  if (state) return state;
  const context = await browser.newContext({ baseURL: URL_, viewport: WIDE });
  const page = await context.newPage();
  const session = (await (await page.request.get('/api/session')).json()) as {
    needs_setup: boolean;
    principal: unknown;
  };
  if (session.needs_setup) {
    const token = process.env.NORIA_SETUP_TOKEN;
    if (!token)
      throw new Error('The server has no account yet: set NORIA_SETUP_TOKEN to the token of its link.');
    await page.goto(`/setup?token=${encodeURIComponent(token)}`);
    await page.getByLabel('E-mail').fill(EMAIL);
    await page.getByLabel('Name').fill('Ada');
    const passwords = page.locator('input[autocomplete="new-password"]');
    await passwords.nth(0).fill(PASSWORD);
    await passwords.nth(1).fill(PASSWORD);
    await page.getByRole('button', { name: 'Make the account' }).click();
  } else {
    await page.goto('/sign-in');
    await page.getByLabel('E-mail').fill(EMAIL);
    await page.locator('input[autocomplete="current-password"]').fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  }
  await page.getByRole('link', { name: 'Noria: Pulse' }).waitFor();
  state = await context.storageState();
  await context.close();
  return state;
}

export interface Opened {
  context: BrowserContext;
  page: Page;
  /** What the browser's console called an error, and scripts that threw. */
  faults: string[];
}

export async function open(
  browser: Browser,
  { viewport = WIDE, scheme = 'light' }: { viewport?: typeof WIDE; scheme?: Scheme } = {},
): Promise<Opened> {
  const context = await browser.newContext({
    baseURL: URL_,
    viewport,
    colorScheme: scheme,
    reducedMotion: 'reduce',
    storageState: await signIn(browser),
  });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  return { context, page, faults };
}

/** Id of the newest trace of the last 30 days; null where there is none. */
export async function newestTrace(page: Page): Promise<string | null> {
  const answer = await page.request.get('/api/traces?from=-30d&limit=1');
  const found = (await answer.json()) as { items: { id: string }[] };
  return found.items[0]?.id ?? null;
}

const NEWEST: Record<string, string> = {
  judged: '/api/traces?from=-30d&q=route:sorting&limit=1',
  study: '/api/studies?limit=1',
  optimization: '/api/optimizations?limit=1',
  exploration: '/api/explorations?kind=exploration&limit=1',
  comparison: '/api/explorations?kind=comparison&limit=1',
};

/** A path with its `{trace}`, `{study}`, `{optimization}`, `{exploration}`, `{comparison}`, `{judged}`, `{run}` and `{base}` (the newest runs of one evaluation) put in; null where one is lacking. */
export async function placed(page: Page, path: string): Promise<string | null> {
  let found = path;
  if (path.includes('{trace}')) {
    const trace = await newestTrace(page);
    if (!trace) return null;
    found = found.replace('{trace}', trace);
  }
  for (const [name, list] of Object.entries(NEWEST)) {
    if (!path.includes(`{${name}}`)) continue;
    const answer = await page.request.get(list);
    const { items } = (await answer.json()) as { items: { id: string }[] };
    if (!items[0]) return null;
    found = found.replace(`{${name}}`, items[0].id);
  }
  if (/\{(run|base)\}/.test(path)) {
    const answer = await page.request.get('/api/evals/runs?name=triage&state=done&limit=20');
    const { items } = (await answer.json()) as { items: { id: string; progress: { answered: number } }[] };
    const whole = items.filter((run) => run.progress.answered > 100);
    const [run, base] = whole;
    if (!run || !base) return null;
    found = found.replace('{run}', run.id).replace('{base}', base.id);
  }
  return found;
}

/** Until nothing is loading any more and the charts have drawn. */
export async function settled(page: Page) {
  await page.waitForLoadState('networkidle', { timeout: 3000 }).catch(() => undefined);
  await page.waitForFunction(() => document.querySelectorAll('.mantine-Skeleton-root').length === 0, null, {
    timeout: 8000,
  });
  await page.waitForTimeout(250);
}
