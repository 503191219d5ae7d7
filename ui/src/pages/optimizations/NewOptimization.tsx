/** A search is made up here: on which examples, by which measure, by whom the words are written, for how much. */
import { Autocomplete, Button, Modal, NumberInput, TagsInput, TextInput } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { ApiError, api, ask } from '../../api/client';
import { datasetsQuery } from '../../api/datasets';
import { scorersQuery } from '../../api/evals';
import type { NewOptimization } from '../../api/optimizations';
import { callableQuery } from '../../api/queries';
import { useScope } from '../../app/scope';
import { count } from '../../parts/format';
import classes from './Optimizations.module.css';

export function NewOptimizationForm({
  name,
  version,
  onClose,
}: {
  name: string;
  version: number;
  onClose: () => void;
}) {
  const { project } = useScope();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const [draft, setDraft] = useState({
    dataset: '',
    scorer: '',
    model: '',
    reflect: '',
    answers: 300,
    shots: [] as string[],
    budget: '',
  });
  const set = (change: Partial<typeof draft>) => setDraft((now) => ({ ...now, ...change }));
  const datasets = useInfiniteQuery(datasetsQuery(project, ''));
  const scorers = useQuery(scorersQuery(project));
  const models = useQuery(callableQuery(project));
  const callable = models.data?.items.map((model) => model.id) ?? [];
  const begin = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/api/optimizations', {
          params: { query: { project } },
          body: {
            prompt: `${name}@${version}`,
            dataset: draft.dataset.trim(),
            scorer: draft.scorer.trim(),
            measure: '',
            model: draft.model.trim(),
            reflect: draft.reflect.trim(),
            answers: draft.answers,
            shots: draft.shots.map(Number),
            budget: draft.budget.trim() || null,
          } as NewOptimization,
        }),
      ),
    onSuccess: async (one) => {
      await cache.invalidateQueries({ queryKey: ['optimizations'] });
      await navigate({ to: '/optimizations/$id', params: { id: one.id } });
    },
  });
  const wrong = (param: string) =>
    begin.error instanceof ApiError && begin.error.param === param ? begin.error.message : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    begin.mutate();
  };
  const named = scorers.data?.named.map((one) => one.name) ?? [];
  const types = scorers.data?.types.map((one) => one.type) ?? [];
  return (
    <Modal
      opened
      onClose={onClose}
      title={`Search for a better ${name}, from version ${version} on`}
      size="lg"
    >
      <form className={classes.form} onSubmit={submit}>
        <div className={classes.pair}>
          <Autocomplete
            label="Dataset"
            description="Split into train, validation and test, or it is split by hash"
            required
            data-autofocus
            data={datasets.data?.items.map((one) => one.name) ?? []}
            value={draft.dataset}
            error={wrong('dataset')}
            onChange={(dataset) => set({ dataset })}
          />
          <Autocomplete
            label="Scorer"
            description="What is to get better; its words tell the writer why"
            required
            data={[
              ...(named.length > 0 ? [{ group: 'Named here', items: named }] : []),
              { group: 'Installed', items: types.filter((type) => !named.includes(type)) },
            ]}
            value={draft.scorer}
            error={wrong('scorer') ?? wrong('measure')}
            onChange={(scorer) => set({ scorer })}
          />
        </div>
        <div className={classes.pair}>
          <Autocomplete
            label="Model that answers"
            placeholder="the prompt's own"
            data={callable}
            value={draft.model}
            error={wrong('model')}
            onChange={(model) => set({ model })}
          />
          <Autocomplete
            label="Model that writes"
            placeholder="the same; a strong one is best"
            data={callable}
            value={draft.reflect}
            error={wrong('reflect')}
            onChange={(reflect) => set({ reflect })}
          />
        </div>
        <div className={classes.pair}>
          <NumberInput
            label="At most so many answers"
            min={10}
            max={100_000}
            allowDecimal={false}
            value={draft.answers}
            onChange={(value) => set({ answers: typeof value === 'number' ? value : 300 })}
          />
          <TextInput
            label="Budget in dollars"
            placeholder="none"
            value={draft.budget}
            error={wrong('budget')}
            onChange={(event) => set({ budget: event.currentTarget.value })}
          />
        </div>
        <TagsInput
          label="Also try examples in the prompt, so many"
          placeholder={draft.shots.length > 0 ? '' : 'such as 2 and 5'}
          data={['2', '5', '8']}
          maxTags={10}
          value={draft.shots}
          onChange={(shots) =>
            set({
              shots: shots.filter((each) => /^\d+$/.test(each) && Number(each) >= 1 && Number(each) <= 50),
            })
          }
        />
        <p className={classes.words} role="status">
          Up to {count(draft.answers)} answers are asked for
          {draft.budget.trim() ? `, and at most $${draft.budget.trim()} is spent` : '; there is no budget'}.
          The test at the end asks for up to {count(600)} more.
        </p>
        {begin.error && !(begin.error instanceof ApiError && begin.error.param) && (
          <p className={classes.wrong} role="alert">
            {begin.error.message}
          </p>
        )}
        <Button
          type="submit"
          loading={begin.isPending}
          disabled={!draft.dataset.trim() || !draft.scorer.trim()}
        >
          Begin the search
        </Button>
      </form>
    </Modal>
  );
}
