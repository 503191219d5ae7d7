/** Pictures of every page, wide and narrow, light and dark, into test-results/page. */
import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, test } from 'vitest';
import { launch, NARROW, open, placed, type Scheme, settled, WIDE } from './browser';

const FOLDER = process.env.SCREENSHOTS ?? 'test-results/page';
const ONLY = process.env.ONLY?.split(',');

const PAGES: Record<string, string> = {
  pulse: '/?from=-24h',
  traces: '/traces?from=-24h',
  filtered: '/traces?from=-24h&q=status:error',
  trace: '/traces/{trace}',
  peek: '/traces?from=-24h&peek={trace}',
  sessions: '/sessions?from=-24h',
  costs: '/costs?from=-24h',
  playground: '/playground',
  chat: '/chat',
  models: '/models',
  cards: '/models?tab=cards',
  weights: '/models?tab=weights',
  prompts: '/prompts',
  prompt: '/prompts/triage',
  'prompt-differences': '/prompts/triage?tab=diff',
  promotion: '/prompts/triage?tab=board',
  'prompt-use': '/prompts/triage?tab=use&from=-30d',
  'prompt-editor': '/prompts/triage?edit=main',
  datasets: '/datasets',
  dataset: '/datasets/messages?example=q0003',
  'dataset-versions': '/datasets/messages?tab=versions',
  'dataset-differences': '/datasets/messages?tab=diff',
  splits: '/datasets/messages?tab=splits',
  builds: '/datasets/messages?tab=builds',
  judges: '/judges',
  judge: '/judges/polite',
  evaluations: '/evaluations',
  'evaluation-peek': '/evaluations?run={run}',
  configured: '/evaluations?tab=configured',
  gates: '/evaluations?tab=gates',
  'new-run': '/evaluations?new=triage',
  run: '/evaluations/{run}',
  slices: '/evaluations/{run}?tab=slices',
  answers: '/evaluations/{run}?tab=answers&baseline={base}&example=q0000',
  'compare-runs': '/evaluations/compare?base={base}&with={run}',
  studies: '/evaluations?tab=studies',
  study: '/studies/{study}',
  trials: '/studies/{study}?tab=trials',
  optimize: '/prompts/triage?tab=optimize',
  optimization: '/optimizations/{optimization}',
  'new-optimization': '/prompts/triage?tab=optimize&optimize=1',
  'built-dataset': '/datasets/tidy?tab=builds',
  keys: '/keys',
  budgets: '/keys?tab=budgets',
  config: '/settings',
  accounts: '/settings?tab=accounts',
  approvals: '/settings?tab=approvals',
  audit: '/settings?tab=audit',
  health: '/settings?tab=health',
  erasure: '/settings?tab=erasure',
  appearance: '/settings?tab=appearance',
};

const browser = launch();
beforeAll(async () => {
  mkdirSync(FOLDER, { recursive: true });
  await browser;
});
afterAll(async () => (await browser).close());

for (const [size, viewport] of Object.entries({ wide: WIDE, narrow: NARROW })) {
  for (const scheme of ['light', 'dark'] as Scheme[]) {
    test(`${size} ${scheme}`, { timeout: 180_000 }, async () => {
      if (ONLY && !ONLY.some((each) => each === `${size}-${scheme}` || each in PAGES)) return;
      const { context, page } = await open(await browser, { viewport, scheme });
      for (const [name, path] of Object.entries(PAGES)) {
        if (ONLY && !ONLY.includes(name) && ONLY.some((each) => each in PAGES)) continue;
        const place = await placed(page, path);
        if (place === null) continue;
        await page.goto(place);
        await settled(page).catch((error) => console.warn(name, String(error).split('\n')[0]));
        await page.screenshot({ path: `${FOLDER}/${name}-${size}-${scheme}.png` });
      }
      await context.close();
    });
  }
}
