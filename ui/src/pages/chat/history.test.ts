import { expect, test } from 'vitest';
import { blocks, type Chat, edited, put, title } from './history';

const chat = (id: string, changed: number, text = 'hello'): Chat => ({
  id,
  model: 'm',
  turns: text ? [{ role: 'user', text }] : [],
  changed,
});

test('the newest comes first, an empty chat is not kept, the oldest go', () => {
  expect(put([chat('a', 1)], chat('b', 2)).map((each) => each.id)).toEqual(['b', 'a']);
  expect(put([chat('a', 1)], chat('a', 3, '')).length).toBe(0);
  const many = Array.from({ length: 100 }, (_, at) => chat(String(at), at));
  expect(put(many, chat('new', 1000))).toHaveLength(100);
});

test('editing a question drops what came after it', () => {
  const turns = [
    { role: 'user' as const, text: 'a' },
    { role: 'assistant' as const, text: 'b' },
    { role: 'user' as const, text: 'c' },
  ];
  expect(edited(turns, 0, 'x')).toEqual([{ role: 'user', text: 'x' }]);
  expect(title(chat('a', 1))).toBe('hello');
});

test('fenced code is told from text, also while it still streams', () => {
  expect(blocks('Look:\n```py\nprint(1)\n```\nDone')).toEqual([
    { kind: 'text', text: 'Look:', language: '' },
    { kind: 'code', text: 'print(1)', language: 'py' },
    { kind: 'text', text: 'Done', language: '' },
  ]);
  expect(blocks('```js\nlet a')).toEqual([{ kind: 'code', text: 'let a', language: 'js' }]);
  expect(blocks('no code')).toEqual([{ kind: 'text', text: 'no code', language: '' }]);
});
