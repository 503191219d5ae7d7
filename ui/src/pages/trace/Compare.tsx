/** This trace beside another: the figures, and the difference of the answers. */
import { CloseButton, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Schemas } from '../../api/client';
import { traceQuery } from '../../api/queries';
import { useScope, useSetSearch } from '../../app/scope';
import { Diff } from '../../parts/Diff';
import { Failure } from '../../parts/Failure';
import { change, count, duration, money } from '../../parts/format';
import { conversation, words } from './conversation';
import classes from './Trace.module.css';

type Summary = Schemas['TraceSummary'];

const FIGURES: readonly [string, (trace: Summary) => number | null, (value: number | null) => string][] = [
  ['Duration', (trace) => trace.duration_ms, duration],
  ['First token', (trace) => trace.first_token_ms, duration],
  ['Tokens in', (trace) => trace.input_tokens, count],
  ['Tokens out', (trace) => trace.output_tokens, count],
  ['Cost', (trace) => (trace.cost === null ? null : Number(trace.cost)), money],
  ['Attempts', (trace) => trace.attempts, count],
  ['Spans', (trace) => trace.spans, count],
];

export function Compare({ id, other }: { id: string; other: string }) {
  const { project } = useScope();
  const set = useSetSearch();
  const [text, setText] = useState(other.trim());
  const valid = /^[0-9a-f]{32}$/.test(other);
  const mine = useQuery(traceQuery(project, id));
  const theirs = useQuery({ ...traceQuery(project, other), enabled: valid });
  const a = mine.data?.trace;
  const b = theirs.data?.trace;
  return (
    <section className={classes.compare} aria-label="Comparison">
      <div className={classes.line}>
        <TextInput
          label="Compare with the trace"
          placeholder="32 hexadecimal digits"
          value={text}
          w={320}
          error={text && !/^[0-9a-f]{32}$/.test(text) ? 'A trace id has 32 hexadecimal digits' : null}
          onChange={(event) => {
            const next = event.currentTarget.value.trim();
            setText(next);
            if (/^[0-9a-f]{32}$/.test(next)) set({ compare: next }, { replace: true });
          }}
        />
        <CloseButton aria-label="End the comparison" ml="auto" onClick={() => set({ compare: null })} />
      </div>
      {theirs.error && <Failure error={theirs.error} retry={() => void theirs.refetch()} />}
      {a && b && (
        <div className={classes.sides}>
          <table className={classes.figures}>
            <thead>
              <tr>
                <th scope="col">Figure</th>
                <th scope="col">Other</th>
                <th scope="col">This</th>
                <th scope="col">Change</th>
              </tr>
            </thead>
            <tbody>
              {FIGURES.map(([name, read, say]) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td className="num">{say(read(b.summary))}</td>
                  <td className="num">{say(read(a.summary))}</td>
                  <td className="num">{change(read(a.summary), read(b.summary)) ?? '–'}</td>
                </tr>
              ))}
              <tr>
                <th scope="row">Model</th>
                <td>{b.summary.model}</td>
                <td>{a.summary.model}</td>
                <td>{a.summary.model === b.summary.model ? 'same' : 'differs'}</td>
              </tr>
            </tbody>
          </table>
          <div>
            <h3>The answer, from the other to this</h3>
            <Diff before={answer(b)} after={answer(a)} />
          </div>
        </div>
      )}
    </section>
  );
}

function answer(trace: Schemas['TraceDetail']): string {
  const root =
    trace.spans.find((span) => span.id === trace.summary.root && span.output) ??
    trace.spans.find((span) => span.output);
  return words(conversation(root?.output, 'assistant'));
}
