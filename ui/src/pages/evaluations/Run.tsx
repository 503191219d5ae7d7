/** One run: what it measured, where it is good and where not, and every answer. */
import { Button, Modal } from '@mantine/core';
import { IconArrowLeft, IconArrowsDiff, IconPlayerPlay, IconRefresh, IconTrash } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { api, ask } from '../../api/client';
import { live, type Run, runQuery } from '../../api/evals';
import { useRole } from '../../app/role';
import { useScope, useSetSearch } from '../../app/scope';
import { useShortcuts } from '../../app/shortcuts';
import { Failure } from '../../parts/Failure';
import { count } from '../../parts/format';
import { Page } from '../../parts/Page';
import { PageTabs } from '../../parts/PageTabs';
import { Status } from '../../parts/Status';
import { Id } from '../../parts/Value';
import classes from './Evaluations.module.css';
import { GateList } from './Gates';
import { JudgedTable } from './JudgedTable';
import { Measures } from './Measures';
import { NewRunForm } from './NewRun';
import { quality, stateOf } from './quality';
import { RunFacts, RunProgress } from './RunFacts';
import { Slices } from './Slices';

export function RunPage() {
  const { id } = useParams({ from: '/shell/evaluations/$id' });
  const { project } = useScope();
  const search = useSearch({ strict: false }) as { new?: string; example?: string };
  const set = useSetSearch();
  const navigate = useNavigate();
  const { data, error, refetch } = useQuery(runQuery(project, id));
  useShortcuts([
    {
      keys: 'esc',
      label: 'Back to the runs',
      group: 'Run',
      run: () => void navigate({ to: '/evaluations' }),
    },
  ]);
  const back = (
    <Link to="/evaluations">
      <IconArrowLeft size={14} /> Evaluations
    </Link>
  );
  if (error) {
    return (
      <Page title="Run" back={back}>
        <Failure error={error} retry={() => void refetch()} />
      </Page>
    );
  }
  const run = data?.run;
  return (
    <Page
      title={run?.name ?? 'Run'}
      back={back}
      full
      note={
        run && (
          <span className={classes.cell}>
            <Status {...stateOf(run)} /> <Id value={id} short={16} />
          </span>
        )
      }
      aside={run && <Acts run={run} />}
    >
      {run && data && (
        <>
          <div className={classes.head}>
            <RunFacts run={run} />
            {live(run) && <RunProgress run={run} />}
          </div>
          <PageTabs
            clear={['example']}
            tabs={[
              {
                id: 'measures',
                label: 'Measures',
                flows: true,
                content: (
                  <>
                    <div className={classes.section}>
                      <Measures
                        metrics={data.metrics}
                        onChoose={(scorer) => set({ tab: 'slices', scorer })}
                      />
                    </div>
                    <div className={classes.section}>
                      <h2>Gates</h2>
                      <GateList only={run.name} run={run.id} />
                    </div>
                  </>
                ),
              },
              {
                id: 'slices',
                label: 'Slices',
                flows: true,
                content: <Slices run={run} names={quality(data.metrics.measures).map((one) => one.name)} />,
              },
              {
                id: 'answers',
                label: `Answers ${count(run.progress.answered)}`,
                content: <JudgedTable run={run} measures={data.metrics.measures} />,
              },
            ]}
          />
        </>
      )}
      {search.new !== undefined && <NewRunForm like={id} onClose={() => set({ new: null })} />}
    </Page>
  );
}

function Acts({ run }: { run: Run }) {
  const may = useRole();
  const { project } = useScope();
  const set = useSetSearch();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const [removing, setRemoving] = useState(false);
  const path = { path: { id: run.id }, query: { project } };
  const fresh = () =>
    Promise.all([
      cache.invalidateQueries({ queryKey: ['runs'] }),
      cache.invalidateQueries({ queryKey: ['run', project, run.id] }),
    ]);
  const resume = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/api/evals/runs/{id}/resume', {
          params: path,
          body: { again: run.progress.failed + run.progress.failed_scores > 0 },
        }),
      ),
    onSuccess: fresh,
  });
  const remove = useMutation({
    mutationFn: () => ask(api.DELETE('/api/evals/runs/{id}', { params: path })),
    onSuccess: async () => {
      await navigate({ to: '/evaluations' });
      await fresh();
    },
  });
  const failed = run.progress.failed + run.progress.failed_scores;
  const resumable = run.state === 'stopped' || run.state === 'failed' || (run.state === 'done' && failed > 0);
  return (
    <>
      {resume.error && (
        <span className={classes.wrong} role="alert">
          {resume.error.message}
        </span>
      )}
      <Button
        component={Link}
        to="/evaluations/compare"
        search={{ with: run.id } as never}
        variant="default"
        leftSection={<IconArrowsDiff size={14} stroke={1.6} />}
      >
        Compare
      </Button>
      {may('editor') && resumable && (
        <Button
          variant="default"
          loading={resume.isPending}
          leftSection={<IconPlayerPlay size={14} stroke={1.6} />}
          onClick={() => resume.mutate()}
        >
          {run.state === 'done' ? `Try the ${count(failed)} failed again` : 'Go on'}
        </Button>
      )}
      {may('editor') && (
        <Button
          variant="default"
          leftSection={<IconRefresh size={14} stroke={1.6} />}
          onClick={() => set({ new: run.id })}
        >
          Run again
        </Button>
      )}
      {may('editor') && !live(run) && (
        <Button variant="default" aria-label="Delete this run" px={8} onClick={() => setRemoving(true)}>
          <IconTrash size={14} stroke={1.6} />
        </Button>
      )}
      <Modal opened={removing} onClose={() => setRemoving(false)} title={`Delete this run of ${run.name}?`}>
        <div className={classes.form}>
          <p className={classes.words}>
            Its {count(run.progress.answered)} answers and {count(run.progress.scores)} scores go for good.
            Answers that other runs have used stay with those; the traces of its calls stay too.
          </p>
          {remove.error && (
            <p className={classes.wrong} role="alert">
              {remove.error.message}
            </p>
          )}
          <Button color="red" loading={remove.isPending} onClick={() => remove.mutate()}>
            Delete the run
          </Button>
        </div>
      </Modal>
    </>
  );
}
