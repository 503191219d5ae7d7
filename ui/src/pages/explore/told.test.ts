import { expect, test } from 'vitest';
import type { Way } from '../../api/explorations';
import { bestOf, priceOf, standing } from './told';

const way = (model: string, estimate: number | null, more: Partial<Way> = {}): Way =>
  ({
    model,
    way: 'zero-shot',
    run: 'run_1',
    state: 'done',
    whole: true,
    message: '',
    better: 'higher',
    quality: estimate === null ? null : { estimate },
    place: { standing: 'front', by: null, axes: {}, why: '' },
    ...more,
  }) as unknown as Way;

test('the best way of a model is by its estimate, in the direction that is better', () => {
  const ways = [way('a', 0.2), way('a', 0.7, { way: '2-shot' }), way('b', 0.9)];
  expect(bestOf('a', ways)?.way).toBe('2-shot');
  expect(
    bestOf('a', [way('a', 3, { better: 'lower' }), way('a', 1, { better: 'lower', way: 'x' })])?.way,
  ).toBe('x');
  expect(bestOf('a', [way('a', null)])?.way).toBe('zero-shot');
  expect(bestOf('c', ways)).toBeNull();
  expect(bestOf('a', [way('a', 1, { run: '' })])).toBeNull();
});

test('a way stands beside the one that it is compared with, and an unrun one says so', () => {
  const dominated = way('b', 0.1, { place: { standing: 'dominated', by: 0, axes: {}, why: 'shown' } });
  const all = [way('a', 0.9), dominated];
  expect(standing(dominated, all)).toEqual({ tone: 'bad', word: 'dominated by a, zero-shot', hint: 'shown' });
  expect(standing(way('c', 1, { run: '', message: 'no money' }), all).hint).toBe('no money');
  expect(standing(way('c', 1, { whole: false, state: 'running' }), all).word).toBe('running');
});

test('a price is free, known or not known', () => {
  const facts = (price_input: string | null, price_output: string | null) =>
    ({ price_input, price_output }) as Parameters<typeof priceOf>[0];
  expect(priceOf(facts(null, '1'))).toBe('not known');
  expect(priceOf(facts('0', '0'))).toBe('free');
  expect(priceOf(facts('1', '4'))).toContain('→');
});
