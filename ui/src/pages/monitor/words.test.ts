import { expect, test } from 'vitest';
import type { Rule } from '../../api/monitors';
import { bounds, inUnit, madeOf, measured, reading, span } from './words';

const RULE = {
  measure: 'error_rate',
  scorer: '',
  unit: 'share',
  direction: 'above',
  warn: 0.02,
  alert: 0.05,
} as Rule;

test('values are said in their units', () => {
  expect(inUnit('share', 0.125)).toBe('13\u00a0%');
  expect(inUnit('seconds', 0.25)).toBe('250\u00a0ms');
  expect(inUnit('dollars', 1.5)).toBe('$1.50');
  expect(inUnit('number', 0.8123)).toBe('0.81');
});

test('whole minutes and hours are said so', () => {
  expect([60, 90, 900, 3600, 5400].map(span)).toEqual([
    '1\u00a0m',
    '1\u00a0m\u00a030\u00a0s',
    '15\u00a0m',
    '1\u00a0h',
    '1\u00a0h\u00a030\u00a0m',
  ]);
});

test('bounds say which way they go', () => {
  expect(bounds(RULE)).toBe('warning above 2.0\u00a0%, alert above 5.0\u00a0%');
  expect(bounds({ ...RULE, warn: null, direction: 'below' })).toBe('alert below 5.0\u00a0%');
});

test('a reading has its interval, and what is unknown is said', () => {
  const found = { value: 0.5, low: 0.25, high: 0.75, n: 1234, failed: 2, unknown: 0, start_ms: 0, end_ms: 1 };
  expect(reading(RULE, found)).toBe('50\u00a0% (25\u00a0% to 75\u00a0%)');
  expect(reading(RULE, { ...found, value: null })).toBe('nothing measured');
  expect(reading(RULE, { ...found, low: null, unknown: 3 })).toBe('50\u00a0% or more');
  expect(madeOf(RULE, found)).toBe('1,234 calls, 2 failed');
  expect(madeOf({ measure: 'score' }, { ...found, failed: 0, unknown: 4 })).toBe(
    '1,234 scores, 4 of unknown cost',
  );
  expect(measured({ measure: 'score', scorer: 'kind' })).toBe('kind');
});
