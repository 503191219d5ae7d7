/** The questions of a queue: one is active, j and k move, digits and letters answer it. */
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useShortcuts } from '../../app/shortcuts';
import { type Answers, chosen, options, type Question } from './form';
import { QuestionField } from './QuestionField';
import { instrumentsQuery } from './queries';
import classes from './Review.module.css';

export function Form({
  form,
  answers,
  onChange,
  disputed,
}: {
  form: readonly Question[];
  answers: Answers;
  onChange: (answers: Answers) => void;
  disputed: readonly string[];
}) {
  const first = Math.max(
    0,
    form.findIndex((question) => disputed.includes(question.name)),
  );
  const [at, setAt] = useState(first);
  const place = useRef<HTMLFieldSetElement>(null);
  const surveys = form.some((question) => question.kind === 'survey');
  const instruments = useQuery({ ...instrumentsQuery, enabled: surveys });
  const active = form[at];
  // biome-ignore lint/correctness/useExhaustiveDependencies: scrolls when another question becomes the active one
  useEffect(() => {
    place.current?.querySelector('[data-active]')?.scrollIntoView({ block: 'nearest' });
  }, [at]);

  const move = (by: number) => setAt((now) => Math.min(form.length - 1, Math.max(0, now + by)));
  const choose = (question: Question, index: number, value: string | number) => {
    onChange(chosen(answers, question, value));
    setAt(question.kind === 'labels' ? index : Math.min(form.length - 1, index + 1));
  };
  const keyed = new Map<string, { question: Question; index: number; value: string | number }>();
  // A letter answers its question wherever one is; a digit, and a letter that several have, the active one.
  form.forEach((question, index) => {
    for (const option of options(question))
      for (const key of option.keys)
        if (/\D/.test(key)) keyed.set(key, { question, index, value: option.value });
  });
  if (active)
    for (const option of options(active))
      for (const key of option.keys) keyed.set(key, { question: active, index: at, value: option.value });
  useShortcuts([
    { keys: 'j', label: 'Next question', group: 'Form', run: () => move(1) },
    { keys: 'k', label: 'Question before', group: 'Form', run: () => move(-1) },
    {
      keys: 'e',
      label: 'Write in the active question',
      group: 'Form',
      run: () =>
        place.current?.querySelector<HTMLElement>('[data-active] textarea, [data-active] input')?.focus(),
    },
    ...[...keyed].map(([keys, { question, index, value }]) => ({
      keys,
      label: `${question.title || question.name}: ${value}`,
      group: 'Form',
      run: () => choose(question, index, value),
    })),
  ]);
  return (
    <fieldset ref={place} className={classes.form}>
      <legend className="visually-hidden">Your answers</legend>
      {form.map((question, index) => (
        <QuestionField
          key={question.name}
          question={question}
          value={answers[question.name]}
          active={index === at}
          disputed={disputed.includes(question.name)}
          instrument={instruments.data?.items.find((each) => each.name === question.instrument)}
          onActive={() => setAt(index)}
          onChoose={(value) => choose(question, index, value)}
          onChange={(value) => onChange({ ...answers, [question.name]: value })}
        />
      ))}
    </fieldset>
  );
}
