import { expect, test } from 'vitest';
import { bounds, label, parseTime, wider, zoomed } from './range';

const NOW = 1_800_000_000_000;

test('relative, absolute and ISO times are understood, others are not', () => {
  expect(parseTime('-15m', NOW)).toBe(NOW - 900_000);
  expect(parseTime('1700000000000', NOW)).toBe(1_700_000_000_000);
  expect(parseTime('2026-01-01T00:00:00Z', NOW)).toBe(Date.UTC(2026, 0, 1));
  expect(parseTime('yesterday-ish', NOW)).toBeNull();
});

test('a senseless range falls back to the last hour', () => {
  expect(bounds({ from: 'now', to: '-1h' }, NOW)).toEqual([NOW - 3_600_000, NOW]);
});

test('a drag in either direction gives the same range, at least a second long', () => {
  expect(zoomed(5000, 1000)).toEqual(zoomed(1000, 5000));
  expect(zoomed(1000, 1001)).toEqual({ from: '1000', to: '2000' });
});

test('wider keeps the middle and does not reach beyond now', () => {
  expect(wider({ from: '1000', to: '3000' }, NOW)).toEqual({ from: '0', to: '4000' });
  expect(wider({ from: '-1h', to: 'now' }, NOW).to).toBe(String(NOW));
});

test('labels', () => {
  expect(label({ from: '-24h', to: 'now' }, NOW)).toBe('Last 24 hours');
  expect(label({ from: '-3h', to: 'now' }, NOW)).toBe('Last 3 hours');
});
