import { expect, test } from 'vitest';
import { chosen, missing, options, type Question, sent, words } from './form';

const question = (changes: Partial<Question>): Question =>
  ({
    name: 'q',
    kind: 'label',
    title: '',
    help: '',
    choices: [],
    low: 1,
    high: 5,
    step: 1,
    instrument: '',
    required: true,
    decides: true,
    tolerance: 0,
    measure: null,
    ...changes,
  }) as Question;
const label = question({
  choices: [
    { value: 'yes', title: 'Yes', key: 'y' },
    { value: 'no', title: '', key: '' },
  ],
});

test('choices have digits and letters', () => {
  expect(options(label)).toEqual([
    { value: 'yes', title: 'Yes', keys: ['1', 'y'] },
    { value: 'no', title: 'no', keys: ['2'] },
  ]);
});

test('a score is chosen by its own digit, and a long scale by none', () => {
  expect(options(question({ kind: 'score' })).map((each) => each.keys[0])).toEqual(['1', '2', '3', '4', '5']);
  expect(options(question({ kind: 'score', low: 0, high: 1, step: 0.25 })).map((each) => each.value)).toEqual(
    [0, 0.25, 0.5, 0.75, 1],
  );
  expect(options(question({ kind: 'score', low: 0, high: 100 }))).toEqual([]);
});

test('labels are switched, a label is replaced', () => {
  const many = question({ kind: 'labels', choices: label.choices });
  const once = chosen({}, many, 'yes');
  expect(chosen(once, many, 'no')).toEqual({ q: ['yes', 'no'] });
  expect(chosen(once, many, 'yes')).toEqual({ q: [] });
  expect(chosen({ q: 'yes' }, label, 'no')).toEqual({ q: 'no' });
});

test('what is required is missing until it is answered; no label at all is an answer', () => {
  const many = question({ name: 'many', kind: 'labels', choices: label.choices });
  const survey = question({ name: 'survey', kind: 'survey' });
  expect(missing([label, many, survey], {})).toEqual(['q', 'many', 'survey']);
  expect(missing([label, many, survey], { q: 'no', many: [], survey: [1, null] })).toEqual(['survey']);
  expect(sent({ q: 'no', many: [], survey: [1, null], note: '' })).toEqual({ q: 'no', many: [] });
});

test('answers are told in the words of the form', () => {
  expect(words(label, 'yes')).toBe('Yes');
  expect(words(question({ kind: 'preference' }), 'neither')).toBe('Neither is good');
  expect(words(undefined, ['a', 'b'])).toBe('a, b');
  expect(words(label, null)).toBe('–');
});
