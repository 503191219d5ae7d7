/** A run is made up here: what answers, to which examples, scored by what; its cost is known before it begins. */
import { Autocomplete, Button, Modal, MultiSelect, NumberInput, Switch, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useMemo, useState } from 'react';
import { ApiError, api, ask } from '../../api/client';
import { datasetsQuery } from '../../api/datasets';
import { definitionsQuery, type NewRun, type Run, runQuery, scorersQuery } from '../../api/evals';
import { promptsQuery } from '../../api/prompts';
import { callableQuery } from '../../api/queries';
import { useScope } from '../../app/scope';
import { count, money } from '../../parts/format';
import classes from './Evaluations.module.css';

interface Draft {
  name: string;
  model: string;
  prompt: string;
  dataset: string;
  scorers: string[];
  limit: number | null;
  repeats: number | null;
  budget: string;
  fresh: boolean;
}

const EMPTY: Draft = {
  name: '',
  model: '',
  prompt: '',
  dataset: '',
  scorers: [],
  limit: null,
  repeats: null,
  budget: '',
  fresh: false,
};

/** `like`: the name of an evaluation, or the id of a run whose target is asked again. */
export function NewRunForm({ like, onClose }: { like: string | null; onClose: () => void }) {
  const { project } = useScope();
  const isRun = like?.startsWith('run_') ?? false;
  const before = useQuery({ ...runQuery(project, like ?? ''), enabled: isRun });
  if (isRun && !before.data && !before.error) return null;
  const start = before.data ? of(before.data.run) : { ...EMPTY, name: isRun ? '' : (like ?? '') };
  return <Form start={start} onClose={onClose} />;
}

const of = (run: Run): Draft => ({
  ...EMPTY,
  name: run.name,
  model: run.model,
  prompt: run.prompt ? `${run.prompt.split('@')[0]}@${run.prompt_number}` : '',
  dataset: run.dataset_name ? run.dataset : '',
  repeats: run.repeats > 1 ? run.repeats : null,
});

function Form({ start, onClose }: { start: Draft; onClose: () => void }) {
  const { project } = useScope();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const [draft, setDraft] = useState(start);
  const set = (change: Partial<Draft>) => setDraft((now) => ({ ...now, ...change }));
  const definitions = useQuery(definitionsQuery(project));
  const models = useQuery(callableQuery(project));
  const prompts = useInfiniteQuery(promptsQuery(project, ''));
  const datasets = useInfiniteQuery(datasetsQuery(project, ''));
  const scorers = useQuery(scorersQuery(project));
  const configured = definitions.data?.items.find((one) => one.name === draft.name);
  const body = useMemo(() => asBody(draft), [draft]);
  const [settled] = useDebouncedValue(body, 350);
  const whole =
    settled.name !== '' &&
    (configured !== undefined || Boolean(settled.target && settled.dataset && settled.scorers));
  const estimate = useQuery({
    queryKey: ['estimate', project, settled],
    queryFn: ({ signal }) =>
      ask(api.POST('/api/evals/estimate', { params: { query: { project } }, body: settled, signal })),
    enabled: whole,
    retry: false,
  });
  const begin = useMutation({
    mutationFn: () => ask(api.POST('/api/evals/runs', { params: { query: { project } }, body })),
    onSuccess: async (run) => {
      await cache.invalidateQueries({ queryKey: ['runs'] });
      await navigate({ to: '/evaluations/$id', params: { id: run.id } });
    },
  });
  const fault = begin.error ?? estimate.error;
  const of = (param: string) =>
    fault instanceof ApiError && fault.param === param ? fault.message : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    begin.mutate();
  };
  const keep = configured ? 'as configured' : '';
  return (
    <Modal opened onClose={onClose} title="New run" size="lg">
      <form className={classes.form} onSubmit={submit}>
        <Autocomplete
          label="Evaluation"
          description={
            configured
              ? `Configured: ${configured.target} on ${configured.dataset}; what you fill in replaces it for this run`
              : 'One of noria.toml, or a name of its own'
          }
          required
          data-autofocus
          data={definitions.data?.items.map((one) => one.name) ?? []}
          value={draft.name}
          error={of('name')}
          onChange={(name) => set({ name })}
        />
        <div className={classes.pair}>
          <Autocomplete
            label="Prompt"
            placeholder={keep || 'name@label or name@number'}
            data={(prompts.data?.items ?? []).flatMap((prompt) => [
              `${prompt.name}@latest`,
              ...prompt.labels.map((label) => `${prompt.name}@${label.name}`),
            ])}
            value={draft.prompt}
            onChange={(prompt) => set({ prompt })}
          />
          <Autocomplete
            label="Model or route"
            placeholder={keep || "the prompt's own"}
            data={models.data?.items.map((model) => model.id) ?? []}
            value={draft.model}
            error={of('target')}
            onChange={(model) => set({ model })}
          />
        </div>
        <div className={classes.pair}>
          <Autocomplete
            label="Dataset"
            placeholder={keep || 'name, name@3, name@golden, name@3:test'}
            data={(datasets.data?.items ?? []).flatMap((one) => [
              one.name,
              ...(one.golden ? [`${one.name}@golden`] : []),
            ])}
            value={draft.dataset}
            error={of('dataset')}
            onChange={(dataset) => set({ dataset })}
          />
          <MultiSelect
            label="Scorers"
            placeholder={draft.scorers.length > 0 ? '' : keep || 'at least one'}
            searchable
            data={[
              { group: 'Named here', items: scorers.data?.named.map((one) => one.name) ?? [] },
              { group: 'Installed', items: scorers.data?.types.map((one) => one.type) ?? [] },
            ]}
            value={draft.scorers}
            error={of('scorers')}
            onChange={(found) => set({ scorers: found })}
          />
        </div>
        <div className={classes.pair}>
          <NumberInput
            label="At most so many examples"
            placeholder={keep || 'all'}
            min={1}
            allowDecimal={false}
            value={draft.limit ?? ''}
            onChange={(value) => set({ limit: typeof value === 'number' ? value : null })}
          />
          <NumberInput
            label="Answers to each"
            placeholder={keep || '1'}
            min={1}
            max={100}
            allowDecimal={false}
            value={draft.repeats ?? ''}
            onChange={(value) => set({ repeats: typeof value === 'number' ? value : null })}
          />
        </div>
        <div className={classes.pair}>
          <TextInput
            label="Budget in dollars"
            placeholder={keep || 'none'}
            value={draft.budget}
            error={of('budget')}
            onChange={(event) => set({ budget: event.currentTarget.value })}
          />
          <Switch
            mt={26}
            label="Ask everything anew"
            checked={draft.fresh}
            onChange={(event) => set({ fresh: event.currentTarget.checked })}
          />
        </div>
        {whole && (
          <div className={classes.estimate} role="status">
            {estimate.data
              ? said(estimate.data)
              : estimate.error
                ? estimate.error.message
                : 'Working out what it may cost …'}
          </div>
        )}
        {begin.error && (
          <p className={classes.wrong} role="alert">
            {begin.error.message}
          </p>
        )}
        <Button type="submit" loading={begin.isPending} disabled={!whole}>
          Begin the run
        </Button>
      </form>
    </Modal>
  );
}

function said(found: { answers: number; cost: string | null; unknown: string; judged: boolean }): string {
  const cost = found.cost === null ? `cost unknown: ${found.unknown}` : `at most ${money(found.cost)}`;
  return `${count(found.answers)} answers, ${cost}${found.judged ? '; what judges cost comes on top' : ''}.`;
}

function asBody(draft: Draft): NewRun {
  const target =
    draft.model.trim() || draft.prompt.trim()
      ? {
          model: draft.model.trim() || null,
          prompt: draft.prompt.trim() || null,
          parameters: {},
          choices: null,
        }
      : null;
  return {
    name: draft.name.trim(),
    target,
    dataset: draft.dataset.trim() || null,
    scorers:
      draft.scorers.length > 0 ? draft.scorers.map((type) => ({ type, name: '', arguments: {} })) : null,
    repeats: draft.repeats,
    limit: draft.limit,
    budget: draft.budget.trim() || null,
    fresh: draft.fresh,
  } as NewRun;
}
