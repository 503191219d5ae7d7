/** One prompt, several models or settings side by side, streaming. */
import { Button, Switch } from '@mantine/core';
import { IconPlayerPlay, IconPlayerStop, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useRef, useState } from 'react';
import { traceQuery } from '../../api/queries';
import { useScope, useSetSearch } from '../../app/scope';
import { useShortcuts } from '../../app/shortcuts';
import { useFirstModels } from '../../calls/ModelSelect';
import { type Message, variables } from '../../calls/run';
import { Failure } from '../../parts/Failure';
import { conversation } from '../trace/conversation';
import { Column, type Handle } from './Column';
import { type Draft, fresh, keep, kept, type Lane } from './draft';
import { PickPrompt } from './PickPrompt';
import classes from './Playground.module.css';
import { Prompt } from './Prompt';

/** More than this many columns cannot be read side by side. */
const MOST = 4;

export function PlaygroundPage() {
  const { project } = useScope();
  const search = useSearch({ strict: false }) as {
    trace?: string;
    models?: string;
    prompt?: string;
    example?: string;
  };
  const set = useSetSearch();
  const first = useFirstModels(2);
  const [draft, setDraft] = useState<Draft | null>(kept);
  const [differences, setDifferences] = useState(false);
  const [answers, setAnswers] = useState<Record<number, string>>({});
  const [busy, setBusy] = useState<ReadonlySet<number>>(new Set());
  const columns = useRef(new Map<number, Handle>());
  const replay = useQuery({
    ...traceQuery(project, search.trace ?? ''),
    enabled: search.trace !== undefined,
  });

  // The URL names the models; what is in this tab fills the rest.
  const models = search.models?.split(',').filter(Boolean);
  const ready = first.length > 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the models are known
  useEffect(() => {
    if (draft || !ready) return;
    setDraft(fresh(models ?? first));
  }, [draft, ready]);
  useEffect(() => {
    if (draft) keep(draft);
  }, [draft]);

  const trace = replay.data?.trace;
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each trace that is replayed
  useEffect(() => {
    if (!trace || !ready) return;
    const span =
      trace.spans.find((each) => each.id === trace.summary.root && each.input) ??
      trace.spans.find((each) => each.input);
    const messages = asMessages(span?.input);
    const asked = trace.summary.model || trace.summary.route;
    if (messages)
      setDraft({
        ...fresh([asked || (first[0] ?? ''), first.find((each) => each !== asked) ?? asked]),
        messages,
      });
    set({ trace: null }, { replace: true });
  }, [trace?.id, ready]);

  const names = draft
    ? variables([
        ...draft.messages.map((each) => each.content),
        ...draft.lanes.map((lane) => lane.system ?? ''),
      ])
    : [];
  const runAll = useCallback(() => {
    for (const column of columns.current.values()) column.run();
  }, []);
  const stopAll = useCallback(() => {
    for (const column of columns.current.values()) column.stop();
  }, []);
  useShortcuts([{ keys: 'mod+enter', label: 'Run all columns', group: 'Playground', run: runAll }]);
  const onAnswer = useCallback(
    (id: number, text: string) => setAnswers((before) => ({ ...before, [id]: text })),
    [],
  );
  const onBusy = useCallback((id: number, on: boolean) => {
    setBusy((before) => {
      const next = new Set(before);
      if (on) next.add(id);
      else next.delete(id);
      return next;
    });
  }, []);

  if (replay.error) return <Failure error={replay.error} retry={() => set({ trace: null })} whole />;
  if (!draft) return <div className={classes.page} aria-busy />;
  const change = (lane: Lane) =>
    setDraft({ ...draft, lanes: draft.lanes.map((each) => (each.id === lane.id ? lane : each)) });
  const lead = draft.lanes[0];
  return (
    <div className={classes.page}>
      <div className={classes.left}>
        <div className={classes.bar}>
          <h1>Playground</h1>
          {busy.size > 0 ? (
            <Button variant="default" leftSection={<IconPlayerStop size={14} />} onClick={stopAll}>
              Stop
            </Button>
          ) : (
            <Button leftSection={<IconPlayerPlay size={14} />} onClick={runAll} title="⌘↵">
              Run all
            </Button>
          )}
        </div>
        <PickPrompt
          picked={draft.prompt ?? null}
          asked={search.prompt ?? null}
          example={search.example ?? null}
          onAsk={(prompt) => set({ prompt }, { replace: true })}
          onPick={(prompt, model) => {
            if (!prompt && search.prompt) set({ prompt: null, example: null }, { replace: true });
            const lanes = model ? draft.lanes.map((lane) => ({ ...lane, model })) : draft.lanes;
            setDraft({ ...draft, prompt, lanes });
          }}
          onInput={(input) => setDraft(filled(draft, input))}
        />
        {!draft.prompt && (
          <Prompt
            draft={draft}
            names={names}
            onMessages={(messages) => setDraft({ ...draft, messages })}
            onValues={(values) => setDraft({ ...draft, values })}
          />
        )}
        <div className={classes.options}>
          <Switch
            label="Show differences to the first"
            checked={differences}
            disabled={draft.lanes.length < 2}
            onChange={(event) => setDifferences(event.currentTarget.checked)}
          />
          <Button
            variant="default"
            leftSection={<IconPlus size={14} />}
            disabled={draft.lanes.length >= MOST}
            onClick={() => {
              const last = draft.lanes.at(-1);
              const id = Math.max(...draft.lanes.map((lane) => lane.id)) + 1;
              if (last) setDraft({ ...draft, lanes: [...draft.lanes, { ...last, id }] });
            }}
          >
            Column
          </Button>
        </div>
      </div>
      <div className={classes.lanes}>
        {draft.lanes.map((lane) => (
          <Column
            key={lane.id}
            ref={(handle) => {
              if (handle) columns.current.set(lane.id, handle);
              else columns.current.delete(lane.id);
            }}
            lane={lane}
            draft={draft}
            against={differences && lead && lane.id !== lead.id ? (answers[lead.id] ?? null) : null}
            onLane={change}
            onAnswer={onAnswer}
            onBusy={onBusy}
            onRemove={
              draft.lanes.length > 1
                ? () => setDraft({ ...draft, lanes: draft.lanes.filter((each) => each.id !== lane.id) })
                : null
            }
          />
        ))}
      </div>
    </div>
  );
}

/** An example's input as variables; where nothing has a variable, its text is what is asked. */
function filled(draft: Draft, input: Record<string, unknown>): Draft {
  if (draft.prompt) return { ...draft, prompt: { ...draft.prompt, variables: input } };
  const texts = Object.fromEntries(
    Object.entries(input).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
  if (variables(draft.messages.map((each) => each.content)).length > 0) {
    return { ...draft, values: { ...draft.values, ...texts } };
  }
  const asked = Object.values(texts).join('\n\n');
  const last = draft.messages.findLastIndex((each) => each.role === 'user');
  return {
    ...draft,
    messages: draft.messages.map((each, index) => (index === last ? { ...each, content: asked } : each)),
  };
}

function asMessages(input: string | null | undefined): Message[] | null {
  const turns = conversation(input, 'user');
  if (!turns) return null;
  return turns.map((turn) => ({
    role:
      turn.role === 'assistant'
        ? 'assistant'
        : turn.role === 'system' || turn.role === 'developer'
          ? 'system'
          : 'user',
    content: turn.parts.map((part) => part.text).join('\n'),
  }));
}
