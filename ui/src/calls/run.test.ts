import { expect, test, vi } from 'vitest';

vi.mock('../api/client', () => ({ csrfHeaders: () => ({}), refusal: () => new Error('no') }));
const { body, fill, speed, START, variables } = await import('./run');

test('variables are found once each and put in', () => {
  expect(variables(['{{a}} and {{ b.c }}', '{{a}}'])).toEqual(['a', 'b.c']);
  expect(fill('{{a}} and {{ b.c }} and {{d}}', { a: '1', 'b.c': '$&' })).toBe('1 and $& and {{d}}');
});

test('the body asks for usage, and for log-probabilities only where wanted', () => {
  const plain = body({ model: 'm', messages: [] });
  expect(plain).toEqual({ model: 'm', messages: [], stream: true, stream_options: { include_usage: true } });
  expect(body({ model: 'm', messages: [], logprobs: true, session: 's' })).toMatchObject({
    logprobs: true,
    noria: { session: 's' },
  });
});

test('speed counts from the first token and says nothing of very short answers', () => {
  const run = { ...START, usage: { input: 1, output: 50 }, firstMs: 100, ms: 1100 };
  expect(speed(run)).toBe(50);
  expect(speed({ ...run, ms: 120 })).toBeNull();
  expect(speed({ ...run, usage: null })).toBeNull();
});
