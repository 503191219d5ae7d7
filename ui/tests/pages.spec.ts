/** Every page, wide and narrow, light and dark: it draws, its console is clean, and axe finds nothing serious. */
import { AxeBuilder } from '@axe-core/playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launch, NARROW, type Opened, open, placed, type Scheme, settled, WIDE } from './browser';

const PAGES: Record<string, string> = {
  Pulse: '/?from=-30d',
  Traces: '/traces?from=-30d',
  Trace: '/traces/{trace}',
  Peek: '/traces?from=-30d&peek={trace}',
  Sessions: '/sessions?from=-30d',
  Costs: '/costs?from=-30d',
  Monitor: '/monitor?from=-6h',
  'One monitor': '/monitor/sorting?from=-6h',
  'Scores of a call': '/traces/{judged}?tab=feedback',
  Playground: '/playground',
  Chat: '/chat',
  Models: '/models',
  Cards: '/models?tab=cards',
  Weights: '/models?tab=weights',
  Comparisons: '/models?tab=compare',
  'New comparison': '/models?tab=compare&new=1',
  Exploration: '/explorations/{exploration}',
  Comparison: '/explorations/{comparison}',
  Prompts: '/prompts',
  Prompt: '/prompts/triage',
  'Prompt differences': '/prompts/triage?tab=diff',
  Promotion: '/prompts/triage?tab=board',
  'Prompt use': '/prompts/triage?tab=use&from=-30d',
  'Prompt editor': '/prompts/triage?edit=main',
  Datasets: '/datasets',
  Dataset: '/datasets/messages?example=q0003',
  'Dataset versions': '/datasets/messages?tab=versions',
  'Dataset differences': '/datasets/messages?tab=diff',
  Splits: '/datasets/messages?tab=splits',
  Builds: '/datasets/messages?tab=builds',
  Judges: '/judges',
  Judge: '/judges/polite',
  Evaluations: '/evaluations',
  'Evaluation peek': '/evaluations?run={run}',
  Configured: '/evaluations?tab=configured',
  Gates: '/evaluations?tab=gates',
  'New run': '/evaluations?new=triage',
  Run: '/evaluations/{run}',
  Slices: '/evaluations/{run}?tab=slices',
  Answers: '/evaluations/{run}?tab=answers&baseline={base}',
  'Compare runs': '/evaluations/compare?base={base}&with={run}',
  Optimizations: '/prompts/triage?tab=optimize',
  Optimization: '/optimizations/{optimization}',
  'New optimization': '/prompts/triage?tab=optimize&optimize=1',
  Studies: '/evaluations?tab=studies',
  Study: '/studies/{study}',
  Trials: '/studies/{study}?tab=trials',
  Keys: '/keys',
  Budgets: '/keys?tab=budgets',
  Configuration: '/settings',
  Accounts: '/settings?tab=accounts',
  Approvals: '/settings?tab=approvals',
  Audit: '/settings?tab=audit',
  Health: '/settings?tab=health',
  Erasure: '/settings?tab=erasure',
  Appearance: '/settings?tab=appearance',
};

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
