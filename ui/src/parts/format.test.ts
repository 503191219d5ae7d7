import { expect, test } from 'vitest';
import {
  ago,
  bytes,
  change,
  clock,
  count,
  duration,
  money,
  parameters,
  percent,
  rate,
  wilson,
} from './format';

const plain = (text: string) => text.replaceAll('\u00a0', ' ');

test.each([
  [null, '–'],
  [0, '0 ms'],
  [0.42, '420 µs'],
  [4.2, '4.2 ms'],
  [999.4, '999 ms'],
  [999.6, '1 s'],
  [4210, '4.21 s'],
  [59_949, '59.9 s'],
  [59_960, '1 m 0 s'],
  [252_000, '4 m 12 s'],
  [7_500_000, '2 h 5 m'],
])('duration of %s ms is %s', (ms, said) => {
  expect(plain(duration(ms))).toBe(said);
});

test.each([
  [null, 'unknown'],
  ['0', '$0'],
  ['0.000123', '$0.00012'],
  ['0.0421', '$0.042'],
  ['0.9', '$0.9'],
  ['3.5', '$3.50'],
  ['1234.4', '$1,234'],
])('money of %s is %s', (value, said) => {
  expect(money(value)).toBe(said);
});

test('an unknown cost never reads as zero', () => {
  expect(money(undefined)).not.toContain('0');
});

test('counts, rates, shares, sizes', () => {
  expect(count(9999)).toBe('9,999');
  expect(count(12_345)).toBe('12.3k');
  expect(count(1_000_000)).toBe('1M');
  expect(plain(rate(0.01))).toBe('0.6 /min');
  expect(plain(percent(0.0042))).toBe('0.42 %');
  expect(plain(percent(0.99999))).toBe('99.99 %');
  expect(plain(bytes(98_362_432))).toBe('98.4 MB');
  expect(plain(parameters(134_515_008))).toBe('135 M');
});

test('a change says its direction with a sign, not with colour alone', () => {
  expect(plain(change(120, 100) ?? '')).toBe('+20 %');
  expect(plain(change(80, 100) ?? '')).toBe('−20 %');
  expect(change(1, 0)).toBeNull();
});

test('times', () => {
  expect(plain(ago(0, 90_000))).toBe('2 min ago');
  expect(plain(ago(60_000, 0))).toBe('in 1 min');
  expect(clock(new Date(2026, 10, 24, 9, 5).getTime(), 3_600_000)).toBe('09:05');
});

test('Wilson covers the share and stays within 0 and 1', () => {
  for (const [hits, of] of [
    [0, 10],
    [10, 10],
    [3, 400],
  ] as const) {
    const found = wilson(hits, of);
    expect(found).not.toBeNull();
    const [low, high] = found ?? [1, 0];
    expect(low).toBeGreaterThanOrEqual(0);
    expect(high).toBeLessThanOrEqual(1);
    expect(low - 1e-9).toBeLessThanOrEqual(hits / of);
    expect(high + 1e-9).toBeGreaterThanOrEqual(hits / of);
  }
  expect(wilson(0, 0)).toBeNull();
});
