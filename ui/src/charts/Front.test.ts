import { expect, test } from 'vitest';
import { apart } from './Front';

test('names of points nearby stand one below the other', () => {
  expect(
    apart([
      { x: 0.1, y: 100 },
      { x: 0.12, y: 100 },
      { x: 0.11, y: 92 },
    ]),
  ).toEqual([0, 15, 30]);
  expect(
    apart([
      { x: 0.1, y: 100 },
      { x: 0.9, y: 100 },
    ]),
  ).toEqual([0, 0]);
});
