import { expect, test } from 'vitest';
import type { Trial } from '../../api/studies';
import { axisOf, bounds, rangeOf, reached, record } from './space';

const trial = (number: number, value: number | null, state: Trial['state'] = 'done') =>
  ({ number, value, state, values: {}, steps: [] }) as unknown as Trial;

test('the best so far changes only with whole trials that are better', () => {
  const trials = [trial(0, 0.5), trial(1, 0.9, 'pruned'), trial(2, 0.4), trial(3, 0.7), trial(4, null)];
  expect(record(trials, 'higher').map((one) => one.trial)).toEqual([0, 3]);
  expect(record(trials, 'lower').map((one) => one.trial)).toEqual([0, 2]);
});

test('the range holds every value and does not leave what shares can be', () => {
  expect(rangeOf([trial(0, 0.02), trial(1, 0.98)])).toEqual([0, 1]);
  expect(rangeOf([])).toEqual([0, 1]);
  const [low, high] = rangeOf([trial(0, -3), trial(1, 40)]);
  expect(low).toBeLessThan(-3);
  expect(high).toBeGreaterThan(40);
});

test('a trial that was given up stands where it was last', () => {
  const given = {
    ...trial(0, null, 'pruned'),
    steps: [
      { step: 1, value: 0.2 },
      { step: 2, value: 0.3 },
    ],
  };
  expect(reached(given as Trial)).toBe(0.3);
  expect(reached(trial(1, null, 'failed'))).toBeNull();
});

test('parameters are said in words', () => {
  expect(bounds({ type: 'float', low: 0.0001, high: 1, log: true })).toBe('1e−4 to 1, by its logarithm');
  expect(bounds({ type: 'choice', values: ['a', true] })).toBe('a, true');
  expect(axisOf({ type: 'int', low: 1, high: 9 })).toEqual({
    kind: 'number',
    low: 1,
    high: 9,
    log: false,
    whole: true,
  });
});
