/** What a run is of, how far it is, and what it has cost. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { api, ask } from '../../api/client';
import type { Run } from '../../api/evals';
import { useRole } from '../../app/role';
import { useScope } from '../../app/scope';
import { count, duration, money } from '../../parts/format';
import { Progress } from '../../parts/Progress';
import { Money, When } from '../../parts/Value';
import classes from './Evaluations.module.css';
import { datasetOf } from './quality';

export function RunFacts({ run }: { run: Run }) {
  const { progress } = run;
  const took = (run.ended_ms || Date.now()) - run.started_ms;
  return (
    <>
      {run.message && (
        <p
          className={classes.message}
          data-bad={run.state === 'failed' || !run.sound || undefined}
          role="status"
        >
          {run.message}
        </p>
      )}
      <dl className={classes.facts}>
        <Fact name="Target">
          {run.prompt ? (
            <>
              <Link
                to="/prompts/$name"
                params={{ name: run.prompt.split('@')[0] ?? '' } as never}
                search={{ at: String(run.prompt_number) } as never}
              >
                {run.prompt.split('@')[0]} version {run.prompt_number}
              </Link>
              {run.model && ` on ${run.model}`}
            </>
          ) : (
            run.target
          )}
        </Fact>
        <Fact name="Dataset">
          {run.dataset_name ? (
            <Link
              to="/datasets/$name"
              params={{ name: run.dataset_name } as never}
              search={{ version: String(run.dataset_number) } as never}
            >
              {run.dataset}
            </Link>
          ) : (
            <span title={run.dataset}>{datasetOf(run)}</span>
          )}
        </Fact>
        <Fact name="Answers">
          <span className="num">
            {count(progress.answered)}
            {progress.total !== null && ` of ${count(progress.total)}`}
            {progress.reused > 0 && (
              <span className="dim"> · {count(progress.reused)} from earlier runs</span>
            )}
          </span>
        </Fact>
        <Fact name="Failed">
          <span className={`num ${progress.failed + progress.failed_scores > 0 ? classes.failed : 'dim'}`}>
            {count(progress.failed)} answers, {count(progress.failed_scores)} scores
          </span>
        </Fact>
        <Fact name="Cost">
          <Money value={progress.cost} unknown={progress.unknown} />
          {run.budget && <span className="dim"> of {money(run.budget)}</span>}
        </Fact>
        <Fact name="Took">
          <span className="num">{run.started_ms ? duration(took) : 'not begun'}</span>
        </Fact>
        <Fact name="Begun">
          <When ms={run.created_ms} /> <span className="dim">by {run.by}</span>
        </Fact>
        {Object.entries(run.tags).map(([name, value]) => (
          <Fact key={name} name={name}>
            {value}
          </Fact>
        ))}
      </dl>
    </>
  );
}

export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export function RunProgress({ run }: { run: Run }) {
  const may = useRole();
  const { project } = useScope();
  const cache = useQueryClient();
  const stop = useMutation({
    mutationFn: () =>
      ask(api.POST('/api/evals/runs/{id}/stop', { params: { path: { id: run.id }, query: { project } } })),
    onSettled: () =>
      Promise.all([
        cache.invalidateQueries({ queryKey: ['runs'] }),
        cache.invalidateQueries({ queryKey: ['run', project, run.id] }),
      ]),
  });
  return (
    <div className={classes.progress}>
      <Progress
        label="Answers"
        done={run.state === 'queued' ? null : run.progress.answered}
        total={run.progress.total}
        since={run.started_ms || run.created_ms}
        unit="answers"
        words={run.state === 'queued' ? 'waits for its turn' : ''}
        onStop={may('editor') ? () => stop.mutate() : undefined}
      />
      {stop.error && (
        <p className={classes.wrong} role="alert">
          {stop.error.message}
        </p>
      )}
    </div>
  );
}
