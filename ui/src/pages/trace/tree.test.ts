import { expect, test } from 'vitest';
import { rows, type Span } from './tree';

const span = (id: string, parent: string | null, offset_ms: number) => ({ id, parent, offset_ms }) as Span;

test('parents come before children, children by start, orphans at the top', () => {
  const found = rows(
    [span('c', 'a', 30), span('b', 'a', 10), span('a', null, 0), span('d', 'b', 12), span('x', 'gone', 5)],
    new Set(),
  );
  expect(found.map((row) => [row.span.id, row.depth, row.children, row.below])).toEqual([
    ['a', 0, 2, 3],
    ['b', 1, 1, 1],
    ['d', 2, 0, 0],
    ['c', 1, 0, 0],
    ['x', 0, 0, 0],
  ]);
});

test('a closed span hides all below it and nothing else', () => {
  const spans = [span('a', null, 0), span('b', 'a', 1), span('d', 'b', 2), span('c', 'a', 3)];
  expect(rows(spans, new Set(['b'])).map((row) => row.span.id)).toEqual(['a', 'b', 'c']);
});

test('a circle is shown and does not hang', () => {
  expect(rows([span('a', 'b', 0), span('b', 'a', 1)], new Set())).toHaveLength(2);
});

test('a chain of 5,000 spans does not overflow the stack', () => {
  const chain = Array.from({ length: 5000 }, (_, at) => span(String(at), at ? String(at - 1) : null, at));
  expect(rows(chain, new Set())[0]?.below).toBe(4999);
});
