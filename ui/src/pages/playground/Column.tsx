/** One column: model, parameters, the answer as it streams, and its figures. */
import {
  ActionIcon,
  Button,
  Checkbox,
  CloseButton,
  NumberInput,
  Popover,
  Textarea,
  Tooltip,
} from '@mantine/core';
import { IconAdjustments, IconPlayerPlay, IconPlayerStop } from '@tabler/icons-react';
import { type Ref, useEffect, useImperativeHandle, useState } from 'react';
import { ApiError, api, ask } from '../../api/client';
import { useRole } from '../../app/role';
import { useScope } from '../../app/scope';
import { Figures } from '../../calls/Figures';
import { ModelSelect } from '../../calls/ModelSelect';
import { Output } from '../../calls/Output';
import { type Call, fill, type Message, variables } from '../../calls/run';
import { SaveExample } from '../../calls/SaveExample';
import { useRun } from '../../calls/useRun';
import { Diff } from '../../parts/Diff';
import type { Draft, Lane, Picked, Settings } from './draft';
import classes from './Playground.module.css';

export interface Handle {
  run: () => void;
  stop: () => void;
}

interface Props {
  ref: Ref<Handle>;
  lane: Lane;
  draft: Draft;
  /** The first column's answer, to show the difference from; null: do not. */
  against: string | null;
  onLane: (lane: Lane) => void;
  onAnswer: (id: number, text: string) => void;
  onBusy: (id: number, busy: boolean) => void;
  onRemove: (() => void) | null;
}

export function Column({ ref, lane, draft, against, onLane, onAnswer, onBusy, onRemove }: Props) {
  const { project } = useScope();
  const { run, busy, start, stop } = useRun(project);
  const may = useRole();
  const [saving, setSaving] = useState(false);
  const [fault, setFault] = useState<string | null>(null);
  const ready =
    lane.model !== null &&
    (Boolean(draft.prompt) || draft.messages.some((each) => each.role !== 'system' && each.content.trim()));
  const go = async () => {
    if (!ready) return;
    setFault(null);
    try {
      const messages = draft.prompt ? await rendered(project, draft.prompt) : draft.messages;
      await start(call(lane, { ...draft, messages }, draft.prompt ? {} : draft.values));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setFault(error.message);
    }
  };
  useImperativeHandle(ref, () => ({ run: () => void go(), stop }));
  useEffect(() => onBusy(lane.id, busy), [busy, lane.id, onBusy]);
  useEffect(() => onAnswer(lane.id, run?.text ?? ''), [run?.text, lane.id, onAnswer]);

  return (
    <section className={classes.lane} aria-label={`Column ${lane.model ?? ''}`}>
      <header className={classes.laneHead}>
        <ModelSelect
          label="Model or route"
          value={lane.model}
          onChange={(model) => onLane({ ...lane, model })}
          width="100%"
        />
        <Parameters lane={lane} onLane={onLane} />
        {busy ? (
          <ActionIcon variant="default" size={30} aria-label="Stop this column" onClick={stop}>
            <IconPlayerStop size={15} stroke={1.6} />
          </ActionIcon>
        ) : (
          <Tooltip label={ready ? 'Run this column' : 'Write a message first'}>
            <ActionIcon
              variant="default"
              size={30}
              aria-label="Run this column"
              data-disabled={!ready || undefined}
              onClick={() => void go()}
            >
              <IconPlayerPlay size={15} stroke={1.6} />
            </ActionIcon>
          </Tooltip>
        )}
        {onRemove && <CloseButton size={30} aria-label="Remove this column" onClick={onRemove} />}
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <div className={classes.answer} role="region" aria-label="Answer" tabIndex={0}>
        {fault && (
          <p className={classes.fault} role="alert">
            {fault}
          </p>
        )}
        {run ? (
          against !== null && run.state === 'done' ? (
            <Diff before={against} after={run.text} />
          ) : (
            <Output run={run} heat={lane.settings.logprobs} />
          )
        ) : (
          <p className={classes.hint}>The answer streams here.</p>
        )}
      </div>
      {run && (
        <footer className={classes.figures}>
          <Figures project={project} run={run} />
          {run.state === 'done' && run.text && may('editor') && (
            <Button size="compact-xs" variant="subtle" color="gray" onClick={() => setSaving(true)}>
              Save as example
            </Button>
          )}
        </footer>
      )}
      {saving && (
        <SaveExample
          of={{ input: asInput(draft) }}
          expected={run?.text ?? ''}
          onClose={() => setSaving(false)}
        />
      )}
    </section>
  );
}

/** What varies: the variables where there are some, else the last thing that was asked. */
function asInput(draft: Draft): Record<string, unknown> {
  if (draft.prompt) return draft.prompt.variables;
  const names = variables(draft.messages.map((each) => each.content));
  if (names.length > 0) return Object.fromEntries(names.map((name) => [name, draft.values[name] ?? '']));
  return { input: draft.messages.findLast((each) => each.role === 'user')?.content ?? '' };
}

/** The messages that a model would be given. */
async function rendered(project: string, prompt: Picked): Promise<Message[]> {
  const found = await ask(
    api.POST('/api/prompts/{name}/render', {
      params: { path: { name: prompt.name }, query: { project } },
      body: { content: null, at: String(prompt.number), variables: prompt.variables },
    }),
  );
  return found.messages.map(({ role, text }) => ({
    role: role === 'developer' ? 'system' : role,
    content: text,
  }));
}

function call(lane: Lane, draft: Draft, values: Record<string, string>): Call {
  const { temperature, maxTokens, topP, seed, logprobs } = lane.settings;
  const shared = draft.messages
    .filter((each) => each.content.trim() && !(lane.system !== null && each.role === 'system'))
    .map((each) => ({ ...each, content: fill(each.content, values) }));
  const own = lane.system?.trim() ? [{ role: 'system' as const, content: fill(lane.system, values) }] : [];
  return {
    model: lane.model ?? '',
    messages: [...own, ...shared],
    // What is not set is not sent, so that the model's own default holds.
    ...(temperature === null ? {} : { temperature }),
    ...(maxTokens === null ? {} : { max_tokens: maxTokens }),
    ...(topP === null ? {} : { top_p: topP }),
    ...(seed === null ? {} : { seed }),
    ...(logprobs ? { logprobs } : {}),
  };
}

function Parameters({ lane, onLane }: { lane: Lane; onLane: (lane: Lane) => void }) {
  const { settings } = lane;
  const set = (change: Partial<Settings>) => onLane({ ...lane, settings: { ...settings, ...change } });
  const number = (value: string | number) => (value === '' || typeof value === 'string' ? null : value);
  const changed =
    Object.values(settings).some((each) => each !== null && each !== false) || lane.system !== null;
  return (
    <Popover width={260} position="bottom-end" trapFocus>
      <Popover.Target>
        <ActionIcon variant={changed ? 'light' : 'default'} size={30} aria-label="Parameters">
          <IconAdjustments size={15} stroke={1.6} />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown className={classes.parameters}>
        <NumberInput
          label="Temperature"
          placeholder="the model's own"
          min={0}
          max={2}
          step={0.1}
          value={settings.temperature ?? ''}
          onChange={(value) => set({ temperature: number(value) })}
        />
        <NumberInput
          label="Most output tokens"
          placeholder="the model's own"
          min={1}
          step={64}
          allowDecimal={false}
          value={settings.maxTokens ?? ''}
          onChange={(value) => set({ maxTokens: number(value) })}
        />
        <NumberInput
          label="Top p"
          placeholder="the model's own"
          min={0}
          max={1}
          step={0.05}
          value={settings.topP ?? ''}
          onChange={(value) => set({ topP: number(value) })}
        />
        <NumberInput
          label="Seed"
          placeholder="none"
          allowDecimal={false}
          value={settings.seed ?? ''}
          onChange={(value) => set({ seed: number(value) })}
        />
        <Checkbox
          label="Tint tokens by their probability"
          checked={settings.logprobs}
          onChange={(event) => set({ logprobs: event.currentTarget.checked })}
        />
        <Checkbox
          label="A system prompt of its own"
          checked={lane.system !== null}
          onChange={(event) => onLane({ ...lane, system: event.currentTarget.checked ? '' : null })}
        />
        {lane.system !== null && (
          <Textarea
            aria-label="System prompt of this column"
            autosize
            minRows={2}
            maxRows={8}
            value={lane.system}
            onChange={(event) => onLane({ ...lane, system: event.currentTarget.value })}
          />
        )}
        {changed && (
          <Button
            variant="subtle"
            onClick={() =>
              onLane({
                ...lane,
                system: null,
                settings: { temperature: null, maxTokens: null, topP: null, seed: null, logprobs: false },
              })
            }
          >
            Back to the model's own
          </Button>
        )}
      </Popover.Dropdown>
    </Popover>
  );
}
