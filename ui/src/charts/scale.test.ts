import { expect, test } from 'vitest';
import { seriesColours } from './colour';
import { linear, logarithmic, unlog } from './scale';

test.each([0.003, 0.9, 1, 7, 9.99, 101, 54_321])(
  'an axis to %s is round, covers it and starts at zero',
  (max) => {
    const { top, ticks } = linear(max, String);
    expect(top).toBeGreaterThanOrEqual(max * 0.999999);
    expect(top).toBeLessThanOrEqual(max * 2.01);
    expect(ticks[0]?.at).toBe(0);
    expect(ticks.length).toBeGreaterThanOrEqual(2);
    expect(ticks.length).toBeLessThanOrEqual(5);
    expect(ticks.at(-1)?.at).toBeCloseTo(1);
  },
);

test('things that are counted have no halves', () => {
  expect(linear(1, String, { whole: true }).ticks.map((tick) => tick.text)).toEqual(['0', '1']);
  expect(linear(4, String, { whole: true }).ticks.map((tick) => tick.text)).toEqual(['0', '2', '4']);
});

test('an axis of nothing still has a zero', () => {
  expect(linear(0, String)).toEqual({ top: 1, ticks: [{ at: 0, text: '0' }] });
});

test('logarithmic ticks stand where unlog finds them', () => {
  for (const tick of logarithmic(0.5, 60_000, String)) {
    expect(unlog(0.5, 60_000, tick.at)).toBeCloseTo(Number(tick.text), 6);
  }
});

test('eight names in one chart have eight colours, in whatever order they come', () => {
  const names = ['gpt', 'claude', 'local', 'mistral', 'a', 'b', 'c', 'd'];
  const found = seriesColours(names);
  expect(new Set(found.values()).size).toBe(8);
  expect(seriesColours([...names].reverse())).toEqual(found);
});
