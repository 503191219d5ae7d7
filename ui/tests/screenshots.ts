/** Pictures of every page, wide and narrow, light and dark, into test-results/page. */
import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, test } from 'vitest';
import { launch, NARROW, open, placed, type Scheme, settled, WIDE } from './browser';
import { PAGES } from './pages';

const FOLDER = process.env.SCREENSHOTS ?? 'test-results/page';
const ONLY = process.env.ONLY?.split(',');

/** Paths by what their pictures are called, such as `new-run`. */
const NAMES = new Map(
  Object.entries(PAGES).map(([name, path]) => [name.toLowerCase().replaceAll(' ', '-'), path]),
);

const browser = launch();
beforeAll(async () => {
  mkdirSync(FOLDER, { recursive: true });
  await browser;
});
afterAll(async () => (await browser).close());

for (const [size, viewport] of Object.entries({ wide: WIDE, narrow: NARROW })) {
  for (const scheme of ['light', 'dark'] as Scheme[]) {
    test(`${size} ${scheme}`, { timeout: 180_000 }, async () => {
      if (ONLY && !ONLY.some((each) => each === `${size}-${scheme}` || NAMES.has(each))) return;
      const { context, page } = await open(await browser, { viewport, scheme });
      for (const [name, path] of NAMES) {
        if (ONLY && !ONLY.includes(name) && ONLY.some((each) => NAMES.has(each))) continue;
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
