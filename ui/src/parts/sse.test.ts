import { expect, test } from 'vitest';
import { assemble, delta, splitter } from './sse';

const STREAM =
  'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\r\n\r\n' +
  'data: {"choices":[{"delta":{"content":"Hel"}}]}\n\n' +
  ': keep-alive\n\n' +
  'data: {"choices":[{"delta":{"content":"lo"},"finish_reason":"stop"}]}\n\n' +
  'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\ndata: [DONE]\n\n';

test('whatever the pieces, the events are the same', () => {
  const whole = splitter()(STREAM);
  expect(whole).toHaveLength(5);
  for (const size of [1, 2, 3, 7, 64]) {
    const split = splitter();
    const found = [];
    for (let at = 0; at < STREAM.length; at += size) found.push(...split(STREAM.slice(at, at + size)));
    expect(found).toEqual(whole);
  }
});

test('text, stop, usage and probabilities', () => {
  expect(delta('[DONE]')).toBeNull();
  const found = delta(
    '{"choices":[{"delta":{"content":"a"},"logprobs":{"content":[{"token":"a","logprob":0}]},"finish_reason":"length"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}',
  );
  expect(found).toMatchObject({
    text: 'a',
    stop: 'length',
    usage: { input: 1, output: 2 },
    tokens: [{ text: 'a', probability: 1 }],
  });
  expect(delta('{"error":{"message":"no"}}')?.error).toBe('no');
});

test('recorded streams are put together in each dialect', () => {
  expect(assemble(STREAM)?.text).toBe('Hello');
  expect(assemble('{"choices":[]}')).toBeNull();
  expect(
    assemble(
      'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"type":"text_delta","text":"Hi"}}\n\n',
    )?.text,
  ).toBe('Hi');
  expect(assemble('data: {"type":"response.output_text.delta","delta":"Hi"}\n\ndata: {"cut')?.text).toBe(
    'Hi',
  );
  const tools = assemble(
    'data: {"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{"}}]}}]}\n\n' +
      'data: {"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"}"}}]}}]}\n\n',
  )?.tools;
  expect(tools).toEqual([{ name: 'f', arguments: '{}' }]);
});
