/** What is searched, on what, how far it is, and what it has cost. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { api, ask } from '../../api/client';
import { jobQuery } from '../../api/jobs';
import type { Optimization } from '../../api/optimizations';
import { useRole } from '../../app/role';
import { useScope } from '../../app/scope';
import { count, figure } from '../../parts/format';
import { Progress } from '../../parts/Progress';
import { Money, When } from '../../parts/Value';
import { Fact } from '../evaluations/RunFacts';
import classes from './Optimizations.module.css';

export function OptimizationFacts({ one }: { one: Optimization }) {
  const [dataset, number] = one.dataset.split('@');
  return (
    <dl className={classes.facts}>
      <Fact name="Began with">
        <Link
          to="/prompts/$name"
          params={{ name: one.prompt } as never}
          search={{ at: String(one.version) } as never}
        >
          version {one.version}
        </Link>
      </Fact>
      <Fact name="Answers by">{one.model}</Fact>
      <Fact name="Words by">{one.reflect}</Fact>
      <Fact name="Measure">
        {one.measure}
        {one.scorer !== one.measure && <span className="dim"> of {one.scorer}</span>}
      </Fact>
      <Fact name="Dataset">
        <Link
          to="/datasets/$name"
          params={{ name: dataset ?? '' } as never}
          search={(number ? { version: number } : {}) as never}
        >
          {one.dataset}
        </Link>
      </Fact>
      <Fact name="Candidates">
        <span className="num">{count(one.candidates)}</span>
      </Fact>
      <Fact name="Answers">
        <span className="num">
          {count(one.answered)} <span className="dim">of {count(one.answers)}</span>
        </span>
      </Fact>
      {one.before !== null && one.after !== null && (
        <Fact name="On validation">
          <span className="num" title="Means, by which the search chose; the test tells what that is worth">
            {figure(one.before)} → {figure(one.after)}
          </span>
        </Fact>
      )}
      <Fact name="Cost">
        <Money value={one.cost} unknown={one.unknown} />
      </Fact>
      <Fact name="Begun">
        <When ms={one.created_ms} /> <span className="dim">by {one.by_name}</span>
      </Fact>
    </dl>
  );
}

export function OptimizationProgress({ one }: { one: Optimization }) {
  const may = useRole();
  const { project } = useScope();
  const cache = useQueryClient();
  const { data: job } = useQuery(jobQuery(project, one.job));
  const stop = useMutation({
    mutationFn: () =>
      ask(api.POST('/api/optimizations/{id}/stop', { params: { path: { id: one.id }, query: { project } } })),
    onSettled: () => cache.invalidateQueries({ queryKey: ['optimization', project, one.id] }),
  });
  return (
    <div className={classes.progress}>
      <Progress
        label="Answers"
        done={job?.done ?? null}
        total={job?.total ?? one.answers}
        since={one.created_ms}
        unit="answers"
        words={one.state === 'queued' ? 'waits for its turn' : (job?.message ?? 'begins')}
        onStop={may('editor') ? () => stop.mutate() : undefined}
      />
      {job?.message && <p className={classes.words}>{job.message}</p>}
      {stop.error && (
        <p className={classes.wrong} role="alert">
          {stop.error.message}
        </p>
      )}
    </div>
  );
}
