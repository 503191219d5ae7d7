/** The form of a queue as the keyboard works it. Pure. */
import type { Schemas } from '../../api/client';

export type Question = Schemas['AskedQuestion'];
export type Answers = Record<string, unknown>;

export interface Option {
  value: string | number;
  title: string;
  /** The digit that chooses it, and a letter where it has one; at most nine have a digit. */
  keys: string[];
}

const PREFERENCES: Option[] = [
  { value: 'A', title: 'A is better', keys: ['1', 'a'] },
  { value: 'B', title: 'B is better', keys: ['2', 'b'] },
  { value: 'tie', title: 'Both alike', keys: ['3', 't'] },
  { value: 'neither', title: 'Neither is good', keys: ['4', 'n'] },
];
/** More steps than this are a slider's business, and typed. */
const MOST_BUTTONS = 11;

/** What can be chosen by a key; empty for texts, questionnaires and long scales. */
export function options(question: Question): Option[] {
  if (question.kind === 'preference') return PREFERENCES;
  if (question.kind === 'label' || question.kind === 'labels') {
    return question.choices.map((choice, index) => ({
      value: choice.value,
      title: choice.title || choice.value,
      keys: [...(index < 9 ? [String(index + 1)] : []), ...(choice.key ? [choice.key] : [])],
    }));
  }
  if (question.kind !== 'score') return [];
  const steps = Math.round((question.high - question.low) / question.step) + 1;
  if (steps > MOST_BUTTONS) return [];
  return Array.from({ length: steps }, (_, index) => {
    const value = Number((question.low + index * question.step).toFixed(9));
    const digit = Number.isInteger(value) && value >= 0 && value <= 9 ? [String(value)] : [];
    return { value, title: String(value), keys: digit };
  });
}

/** The answers with this option chosen; of labels switched. */
export function chosen(answers: Answers, question: Question, value: string | number): Answers {
  if (question.kind !== 'labels') return { ...answers, [question.name]: value };
  const before = (answers[question.name] as string[] | undefined) ?? [];
  const after = before.includes(String(value))
    ? before.filter((each) => each !== value)
    : [...before, String(value)];
  return { ...answers, [question.name]: after };
}

/** Whether nothing has been said. */
export function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0 || value.some((each) => each === null);
  return value === undefined || value === null || value === '';
}

/** Names of the required questions that are not answered; an empty list is an answer to labels. */
export function missing(form: readonly Question[], answers: Answers): string[] {
  return form
    .filter((question) => question.required)
    .filter((question) =>
      question.kind === 'labels' ? answers[question.name] === undefined : isEmpty(answers[question.name]),
    )
    .map((question) => question.name);
}

/** What is sent: answered questions only. A questionnaire with gaps is no answer. */
export function sent(answers: Answers): Answers {
  return Object.fromEntries(
    Object.entries(answers).filter(
      ([, value]) => (Array.isArray(value) && value.length === 0) || !isEmpty(value),
    ),
  );
}

/** An answer in a few words. */
export function words(question: Question | undefined, value: unknown): string {
  if (isEmpty(value)) return '–';
  const found = question ? options(question).find((option) => option.value === value) : undefined;
  if (found) return found.title;
  return Array.isArray(value) ? value.join(', ') : String(value);
}
