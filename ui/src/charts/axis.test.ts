import { expect, test } from 'vitest';
import { type Axis, placed, short, ticks } from './axis';

const number = (low: number, high: number, log = false, whole = false): Axis => ({
  kind: 'number',
  low,
  high,
  log,
  whole,
});

test('values stand in proportion, by their logarithm, or in the middle of their own part', () => {
  expect(placed(number(0, 2), 0.5)).toBe(0.25);
  expect(placed(number(0.001, 0.1, true), 0.01)).toBeCloseTo(0.5);
  expect(placed({ kind: 'choice', values: ['a', 'b'] }, 'b')).toBe(0.75);
  expect(placed({ kind: 'choice', values: ['true', 'false'] }, true)).toBe(0.25);
});

test('what is not of the axis has no place', () => {
  expect(placed(number(0, 1), 2)).toBeNull();
  expect(placed(number(0, 1), 'much')).toBeNull();
  expect(placed({ kind: 'choice', values: ['a'] }, 'z')).toBeNull();
});

test('labels are round and lie within the axis', () => {
  expect(ticks(number(0, 1)).map((tick) => tick.text)).toEqual(['0', '0.5', '1']);
  expect(ticks(number(8, 32, false, true)).map((tick) => tick.text)).toEqual(['10', '20', '30']);
  expect(ticks(number(1, 3, false, true)).map((tick) => tick.text)).toEqual(['1', '2', '3']);
  expect(ticks(number(1e-4, 1, true)).map((tick) => tick.text)).toEqual(['1e−4', '1e−3', '0.01', '0.1', '1']);
  for (const axis of [number(0.1, 0.7), number(3, 1000), number(2, 3, true)])
    for (const tick of ticks(axis)) {
      expect(tick.at).toBeGreaterThanOrEqual(0);
      expect(tick.at).toBeLessThanOrEqual(1 + 1e-9);
    }
});

test('one value has one label', () => {
  expect(ticks(number(4, 4))).toEqual([{ at: 0.5, text: '4' }]);
  expect(placed(number(4, 4), 4)).toBe(0.5);
});

test('numbers are as short as they can be', () => {
  expect([0, 12, 0.25, 0.3, 1e-5, 2500000].map(short)).toEqual(['0', '12', '0.25', '0.3', '1e−5', '2.5e6']);
});
