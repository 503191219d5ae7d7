import { expect, test } from 'vitest';
import { conversation, words } from './conversation';

const shape = (value: unknown, role: 'user' | 'assistant' = 'user') =>
  conversation(typeof value === 'string' ? value : JSON.stringify(value), role)?.map((turn) => [
    turn.role,
    ...turn.parts.map((part) => `${part.kind}: ${part.text}`),
  ]);

test('OpenAI chat, with tools and an image', () => {
  expect(
    shape({
      model: 'm',
      messages: [
        { role: 'system', content: 'Be kind.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } },
          ],
        },
        { role: 'assistant', content: null, tool_calls: [{ function: { name: 'f', arguments: '{"a":1}' } }] },
        { role: 'tool', content: '42' },
      ],
    }),
  ).toEqual([
    ['system', 'text: Be kind.'],
    ['user', 'text: Look', 'image: image/png, inline'],
    ['assistant', 'tool call: {\n  "a": 1\n}'],
    ['tool', 'tool result: 42'],
  ]);
});

test('an answer in each dialect', () => {
  const said = [['assistant', 'text: Hi']];
  expect(shape({ choices: [{ message: { role: 'assistant', content: 'Hi' } }] }, 'assistant')).toEqual(said);
  expect(shape({ choices: [{ text: 'Hi' }] }, 'assistant')).toEqual(said);
  expect(shape({ role: 'assistant', content: [{ type: 'text', text: 'Hi' }] }, 'assistant')).toEqual(said);
  expect(
    shape(
      { output: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Hi' }] }] },
      'assistant',
    ),
  ).toEqual(said);
  expect(shape([{ role: 'assistant', parts: [{ type: 'text', content: 'Hi' }] }], 'assistant')).toEqual(said);
  expect(shape('Hi', 'assistant')).toEqual(said);
});

test('Anthropic system and thinking; responses input and instructions', () => {
  expect(shape({ system: 'Be brief.', messages: [{ role: 'user', content: 'Why?' }] })).toEqual([
    ['system', 'text: Be brief.'],
    ['user', 'text: Why?'],
  ]);
  expect(shape({ instructions: 'Be brief.', input: 'Why?' })).toEqual([
    ['system', 'text: Be brief.'],
    ['user', 'text: Why?'],
  ]);
  expect(shape({ content: [{ type: 'thinking', thinking: 'hm' }] }, 'assistant')).toEqual([
    ['assistant', 'reasoning: hm'],
  ]);
});

test('what is no conversation is said to be none', () => {
  expect(conversation(null, 'user')).toBeNull();
  expect(conversation('{"vector":[1,2]}', 'user')).toBeNull();
  expect(words(null)).toBe('');
});
