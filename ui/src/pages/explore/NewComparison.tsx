/** A comparison is made up here: which models, over which examples, asked and scored how, what they must be. */
import { Autocomplete, Button, Modal, NumberInput, TagsInput, TextInput } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { ApiError, api, ask } from '../../api/client';
import { datasetsQuery } from '../../api/datasets';
import { scorersQuery } from '../../api/evals';
import type { NewComparison } from '../../api/explorations';
import { callableQuery } from '../../api/queries';
import { useScope } from '../../app/scope';
import { count, money } from '../../parts/format';
import classes from './Explore.module.css';

const EMPTY = {
  models: [] as string[],
  dataset: '',
  prompt: '',
  scorers: [] as string[],
  require: [] as string[],
  limit: 50,
  tokens: 400,
  budget: '',
};

export function NewComparisonForm({ onClose }: { onClose: () => void }) {
  const { project } = useScope();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const [draft, setDraft] = useState(EMPTY);
  const datasets = useInfiniteQuery(datasetsQuery(project, ''));
  const scorers = useQuery(scorersQuery(project));
  const models = useQuery(callableQuery(project));
  const body = (): NewComparison =>
    ({
      models: draft.models,
      dataset: draft.dataset.trim(),
      prompt: draft.prompt.trim(),
      scorers: draft.scorers,
      require: draft.require,
      limit: draft.limit,
      parameters: { max_tokens: draft.tokens },
      budget: draft.budget.trim() || null,
    }) as NewComparison;
  const params = { params: { query: { project } } };
  const plan = useMutation({
    mutationFn: () => ask(api.POST('/api/explorations/comparisons/plan', { ...params, body: body() })),
  });
  const begin = useMutation({
    mutationFn: () => ask(api.POST('/api/explorations/comparisons', { ...params, body: body() })),
    onSuccess: async (one) => {
      await cache.invalidateQueries({ queryKey: ['explorations'] });
      await navigate({ to: '/explorations/$id', params: { id: one.id } });
    },
  });
  const set = (change: Partial<typeof draft>) => {
    plan.reset();
    begin.reset();
    setDraft((now) => ({ ...now, ...change }));
  };
  const fault = begin.error ?? plan.error;
  const wrong = (param: string) =>
    fault instanceof ApiError && fault.param === param ? fault.message : undefined;
  const placed = ['models', 'dataset', 'prompt', 'measure', 'require', 'budget'].some((name) => wrong(name));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (plan.data) begin.mutate();
    else plan.mutate();
  };
  const named = scorers.data?.named.map((one) => one.name) ?? [];
  const types = scorers.data?.types.map((one) => one.type) ?? [];
  const left = plan.data?.candidates.filter((one) => one.excluded.length > 0) ?? [];
  return (
    <Modal opened onClose={onClose} title="Compare models over a dataset" size="lg">
      <form className={classes.form} onSubmit={submit}>
        <TagsInput
          label="Models"
          description="Routes or models; each is asked the same"
          required
          data-autofocus
          data={models.data?.items.map((model) => model.id) ?? []}
          value={draft.models}
          error={wrong('models')}
          onChange={(value) => set({ models: value })}
        />
        <div className={classes.pair}>
          <Autocomplete
            label="Dataset"
            description="name, name@3, name@golden or name@3:split"
            required
            data={datasets.data?.items.map((one) => one.name) ?? []}
            value={draft.dataset}
            error={wrong('dataset')}
            onChange={(dataset) => set({ dataset })}
          />
          <TextInput
            label="Prompt"
            description="name, name@label or name@number; left out: the bare input"
            value={draft.prompt}
            error={wrong('prompt')}
            onChange={(event) => set({ prompt: event.currentTarget.value })}
          />
        </div>
        <TagsInput
          label="Scorers"
          description="Left out: chosen by the form of the expected answers"
          data={[...new Set([...named, ...types])]}
          value={draft.scorers}
          error={wrong('measure')}
          onChange={(value) => set({ scorers: value })}
        />
        <TagsInput
          label="Requirements"
          description="Such as licence=permissive, context>=32k, cost<=0.50, p95<=1500"
          value={draft.require}
          error={wrong('require')}
          splitChars={[]}
          onChange={(value) => set({ require: value })}
        />
        <div className={classes.pair}>
          <NumberInput
            label="Most examples"
            description="0: all"
            min={0}
            allowDecimal={false}
            value={draft.limit}
            onChange={(value) => set({ limit: Number(value) || 0 })}
          />
          <NumberInput
            label="Most tokens of an answer"
            description="Bounds what it may cost"
            min={1}
            allowDecimal={false}
            value={draft.tokens}
            onChange={(value) => set({ tokens: Number(value) || 1 })}
          />
          <TextInput
            label="Budget in dollars"
            description="No call is begun beyond it"
            placeholder="none"
            value={draft.budget}
            error={wrong('budget')}
            onChange={(event) => set({ budget: event.currentTarget.value })}
          />
        </div>
        {plan.data && (
          <div className={classes.words} role="status">
            {count(plan.data.answers)} answers,{' '}
            {plan.data.cost === null
              ? `what they may cost is not known: ${plan.data.unknown}`
              : `at most ${money(plan.data.cost)}${plan.data.judged ? ', scores by models not included' : ''}.`}{' '}
            {plan.data.why_measure} {plan.data.barred}
            {left.map((one) => (
              <div key={one.model}>
                {one.model} is left out: {one.excluded.join('; ')}.
              </div>
            ))}
          </div>
        )}
        {fault && !placed && (
          <p className={classes.wrong} role="alert">
            {fault.message}
          </p>
        )}
        <Button
          type="submit"
          loading={plan.isPending || begin.isPending}
          disabled={draft.models.length === 0 || plan.data?.ways === 0}
        >
          {plan.data ? 'Begin' : 'What would it cost?'}
        </Button>
      </form>
    </Modal>
  );
}
