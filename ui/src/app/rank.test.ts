import { expect, test } from 'vitest';
import { ranked } from './rank';

const things = [
  { label: 'Prompts' },
  { label: 'triage', description: 'Prompt', keywords: ['support'] },
  { label: 'acme/large', description: 'Model' },
  { label: 'New prompt' },
  { label: 'triage: v3 · acme/large', description: 'Run', keywords: ['run_123'] },
];
const names = (query: string) => ranked(query, things).map((thing) => thing.label);

test('a whole name is before its beginning, and that before a part', () => {
  expect(names('triage')).toEqual(['triage', 'triage: v3 · acme/large']);
  expect(names('prompt').slice(0, 2)).toEqual(['Prompts', 'New prompt']);
});

test('every word must be meant, in any order', () => {
  expect(names('large run')).toEqual(['triage: v3 · acme/large']);
  expect(names('large nothing')).toEqual([]);
});

test('ids and what is said of a thing find it, too', () => {
  expect(names('RUN_123')).toEqual(['triage: v3 · acme/large']);
  expect(names('support')).toEqual(['triage']);
});

test('an empty query means nothing', () => {
  expect(ranked('  ', things)).toEqual([]);
});
