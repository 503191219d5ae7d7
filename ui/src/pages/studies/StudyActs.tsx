/** Go on with a study under other bounds, or delete it. */
import { Button, Modal, NumberInput, TextInput } from '@mantine/core';
import { IconPlayerPlay, IconTrash } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { ApiError, api, ask } from '../../api/client';
import { type Study, underWay } from '../../api/studies';
import { useRole } from '../../app/role';
import { useScope } from '../../app/scope';
import { count, money } from '../../parts/format';
import classes from './Studies.module.css';

export function StudyActs({ study }: { study: Study }) {
  const may = useRole();
  const { project } = useScope();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const [asking, setAsking] = useState<'resume' | 'delete' | null>(null);
  const [trials, setTrials] = useState<number | null>(null);
  const [budget, setBudget] = useState('');
  const path = { path: { id: study.id }, query: { project } };
  const resume = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/api/studies/{id}/resume', {
          params: path,
          body: { trials, budget: budget.trim() || null, time: null },
        }),
      ),
    onSuccess: async () => {
      setAsking(null);
      await cache.invalidateQueries({ queryKey: ['study', project, study.id] });
    },
  });
  const remove = useMutation({
    mutationFn: () => ask(api.DELETE('/api/studies/{id}', { params: path })),
    onSuccess: async () => {
      await navigate({ to: '/evaluations', search: { tab: 'studies' } as never });
      await cache.invalidateQueries({ queryKey: ['studies'] });
    },
  });
  if (!may('editor') || underWay(study)) return null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    resume.mutate();
  };
  const wrong = (param: string) =>
    resume.error instanceof ApiError && resume.error.param === param ? resume.error.message : undefined;
  return (
    <>
      <Button
        variant="default"
        leftSection={<IconPlayerPlay size={14} stroke={1.6} />}
        onClick={() => setAsking('resume')}
      >
        Go on
      </Button>
      <Button variant="default" aria-label="Delete this study" px={8} onClick={() => setAsking('delete')}>
        <IconTrash size={14} stroke={1.6} />
      </Button>
      <Modal opened={asking === 'resume'} onClose={() => setAsking(null)} title={`Go on with ${study.name}`}>
        <form className={classes.form} onSubmit={submit}>
          <p className={classes.words}>
            Trials that are whole are kept and learnt from; what was under way is begun again. The bounds
            count from the beginning: {count(study.trials)} trials
            {study.budget ? ` and ${money(study.budget)}` : ''} until now.
          </p>
          <NumberInput
            label="Trials in all"
            placeholder={String(study.trials)}
            min={1}
            max={100_000}
            allowDecimal={false}
            data-autofocus
            value={trials ?? ''}
            onChange={(value) => setTrials(typeof value === 'number' ? value : null)}
          />
          <TextInput
            label="Budget in dollars, in all"
            placeholder={study.budget ?? 'none'}
            value={budget}
            error={wrong('budget')}
            onChange={(event) => setBudget(event.currentTarget.value)}
          />
          {resume.error && !wrong('budget') && (
            <p className={classes.wrong} role="alert">
              {resume.error.message}
            </p>
          )}
          <Button type="submit" loading={resume.isPending}>
            Go on
          </Button>
        </form>
      </Modal>
      <Modal opened={asking === 'delete'} onClose={() => setAsking(null)} title={`Delete this study?`}>
        <div className={classes.form}>
          <p className={classes.words}>
            {study.name} goes for good with its {count(study.progress.done + study.progress.pruned)} trials.
            The runs that they were measured on stay.
          </p>
          {remove.error && (
            <p className={classes.wrong} role="alert">
              {remove.error.message}
            </p>
          )}
          <Button color="red" loading={remove.isPending} onClick={() => remove.mutate()}>
            Delete the study
          </Button>
        </div>
      </Modal>
    </>
  );
}
