import { expect, test } from 'vitest';
import { chosen, join, replace, terms, toggle, without } from './filter';

const EXAMPLE = 'model:gpt-* latency>2s status:error "refund please" -user:ann tag.tier:gold';

test('fields, operators, negation and free text are told apart', () => {
  expect(
    terms(EXAMPLE).map(({ field, operator, value, negated }) => [field, operator, value, negated]),
  ).toEqual([
    ['model', ':', 'gpt-*', false],
    ['latency', '>', '2s', false],
    ['status', ':', 'error', false],
    [null, '', 'refund please', false],
    ['user', ':', 'ann', true],
    ['tag.tier', ':', 'gold', false],
  ]);
});

test('taking apart and putting together changes nothing', () => {
  expect(join(terms(EXAMPLE))).toBe(EXAMPLE);
  expect(join(terms('  a   "b  c" '))).toBe('a "b  c"');
});

test('an open quote reaches to the end and is closed', () => {
  expect(join(terms('status:error "half a'))).toBe('status:error "half a"');
});

test.each(['plain', 'two words', 'a"b', 'back\\slash', 'x>y', ''])(
  'toggling %j twice gives the same text',
  (value) => {
    const once = toggle(EXAMPLE, 'user', value);
    expect(chosen(once, 'user')).toEqual([value]);
    expect(toggle(once, 'user', value)).toBe(EXAMPLE);
  },
);

test('replacing a field leaves the others', () => {
  expect(replace(EXAMPLE, 'latency', ['latency>=1s', 'latency<2s'])).toBe(
    'model:gpt-* status:error "refund please" -user:ann tag.tier:gold latency>=1s latency<2s',
  );
  expect(without('a b c', 1)).toBe('a c');
});
