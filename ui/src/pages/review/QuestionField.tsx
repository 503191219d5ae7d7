/** One question and the ways to answer it. */
import { Kbd, NumberInput, Textarea, UnstyledButton } from '@mantine/core';
import { useId } from 'react';
import type { Schemas } from '../../api/client';
import { options, type Question } from './form';
import classes from './Review.module.css';

interface Props {
  question: Question;
  value: unknown;
  active: boolean;
  disputed: boolean;
  instrument: Schemas['InstrumentBody'] | undefined;
  onActive: () => void;
  onChoose: (value: string | number) => void;
  onChange: (value: unknown) => void;
}

export function QuestionField(props: Props) {
  const { question, active, disputed, onActive } = props;
  const id = useId();
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a click anywhere makes the question the active one
    // biome-ignore lint/a11y/useKeyWithClickEvents: j and k do the same
    <div className={classes.question} data-active={active || undefined} onClick={onActive}>
      <div className={classes.asked} id={id}>
        <span>{question.title || question.name}</span>
        {!question.required && <span className={classes.optional}>optional</span>}
        {disputed && <span className={classes.disputed}>disputed</span>}
      </div>
      {question.help && <div className={classes.help}>{question.help}</div>}
      <Field {...props} labelled={id} />
    </div>
  );
}

function Field({
  question,
  value,
  instrument,
  labelled,
  onChoose,
  onChange,
  onActive,
}: Props & { labelled: string }) {
  const listed = options(question);
  if (question.kind === 'survey') {
    return instrument ? (
      <Survey instrument={instrument} value={value} onChange={onChange} />
    ) : (
      <span className="dim">Loading the questionnaire…</span>
    );
  }
  if (listed.length > 0) {
    const many = question.kind === 'labels';
    return (
      <div
        role="group"
        aria-labelledby={labelled}
        className={classes.options}
        data-row={question.kind === 'score' || undefined}
      >
        {listed.map((option) => {
          const on = many
            ? ((value as string[] | undefined) ?? []).includes(String(option.value))
            : value === option.value;
          return (
            <UnstyledButton
              key={option.value}
              role={many ? 'checkbox' : 'radio'}
              aria-checked={on}
              className={classes.option}
              data-on={on || undefined}
              onClick={(event) => {
                onChoose(option.value);
                event.currentTarget.blur(); // So that enter sends the answer.
              }}
            >
              <span>{option.title}</span>
              {question.kind !== 'score' &&
                option.keys.map((key) => (
                  <Kbd key={key} size="xs" aria-hidden>
                    {key}
                  </Kbd>
                ))}
            </UnstyledButton>
          );
        })}
      </div>
    );
  }
  if (question.kind === 'score') {
    return (
      <NumberInput
        aria-labelledby={labelled}
        min={question.low}
        max={question.high}
        step={question.step}
        value={typeof value === 'number' ? value : ''}
        onFocus={onActive}
        onChange={(next) => onChange(typeof next === 'number' ? next : null)}
      />
    );
  }
  return (
    <Textarea
      aria-labelledby={labelled}
      autosize
      minRows={question.kind === 'correction' ? 4 : 2}
      maxRows={16}
      value={typeof value === 'string' ? value : ''}
      placeholder={question.kind === 'correction' ? 'What it should have been' : undefined}
      onFocus={onActive}
      onChange={(event) => onChange(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === 'Escape') event.currentTarget.blur();
      }}
    />
  );
}

function Survey({
  instrument,
  value,
  onChange,
}: {
  instrument: Schemas['InstrumentBody'];
  value: unknown;
  onChange: (value: unknown) => void;
}) {
  const given = Array.isArray(value) ? (value as (number | null)[]) : instrument.statements.map(() => null);
  const points = Array.from({ length: instrument.high - instrument.low + 1 }, (_, at) => instrument.low + at);
  return (
    <div className={classes.survey}>
      <div className={classes.scale}>
        <span>
          {instrument.low} {instrument.low_title}
        </span>
        <span>
          {instrument.high} {instrument.high_title}
        </span>
      </div>
      {instrument.statements.map((statement, row) => (
        <div key={statement} className={classes.statement}>
          <span>
            {row + 1}. {statement}
          </span>
          <div role="radiogroup" aria-label={statement} className={classes.options} data-row>
            {points.map((point) => (
              <UnstyledButton
                key={point}
                role="radio"
                aria-checked={given[row] === point}
                aria-label={`${point}`}
                className={classes.option}
                data-on={given[row] === point || undefined}
                onClick={() => onChange(given.map((each, at) => (at === row ? point : each)))}
              >
                {point}
              </UnstyledButton>
            ))}
          </div>
        </div>
      ))}
    </div>
  );
}
