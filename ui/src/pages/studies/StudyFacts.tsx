/** What a study searches, how far it is, and what it has cost. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, ask } from '../../api/client';
import type { Parameter, Study } from '../../api/studies';
import { useRole } from '../../app/role';
import { useScope } from '../../app/scope';
import { count, duration, money } from '../../parts/format';
import { Progress } from '../../parts/Progress';
import { Money, When } from '../../parts/Value';
import { Fact } from '../evaluations/RunFacts';
import classes from './Studies.module.css';
import { bounds } from './space';

export function StudyFacts({ study }: { study: Study }) {
  const { progress } = study;
  return (
    <>
      {study.message && study.state !== 'done' && (
        <p className={classes.message} data-bad={study.state === 'failed' || undefined} role="status">
          {study.message}
        </p>
      )}
      <dl className={classes.facts}>
        <Fact name="Trials">
          <span className="num">
            {count(progress.done)} whole
            {progress.pruned > 0 && ` · ${count(progress.pruned)} given up early`}
            {progress.failed > 0 && <span className={classes.wrong}> · {count(progress.failed)} failed</span>}
            <span className="dim"> of {count(progress.total || study.trials)}</span>
          </span>
        </Fact>
        <Fact name="Measured by">
          {study.objective}, {study.better} is better
        </Fact>
        <Fact name="Cost">
          <Money value={progress.cost} unknown={progress.unknown} />
          {study.budget && <span className="dim"> of {money(study.budget)}</span>}
        </Fact>
        <Fact name="Took">
          <span className="num">{duration(progress.seconds * 1000)}</span>
        </Fact>
        <Fact name="Begun">
          <When ms={study.created_ms} /> <span className="dim">by {study.by}</span>
        </Fact>
        <Fact name="Over">
          {Object.entries(study.parameters).map(([name, parameter], at) => (
            <span key={name}>
              {at > 0 && <span className="dim"> · </span>}
              {name} <span className="dim num">{bounds(parameter as unknown as Parameter)}</span>
            </span>
          ))}
        </Fact>
      </dl>
    </>
  );
}

export function StudyProgress({ study }: { study: Study }) {
  const may = useRole();
  const { project } = useScope();
  const cache = useQueryClient();
  const { progress } = study;
  const stop = useMutation({
    mutationFn: () =>
      ask(api.POST('/api/studies/{id}/stop', { params: { path: { id: study.id }, query: { project } } })),
    onSettled: () => cache.invalidateQueries({ queryKey: ['study', project, study.id] }),
  });
  return (
    <div className={classes.progress}>
      <Progress
        label="Trials"
        done={study.state === 'queued' ? null : progress.done + progress.pruned + progress.failed}
        total={progress.total || study.trials}
        since={study.started_ms || study.created_ms}
        unit="trials"
        words={study.state === 'queued' ? 'waits for its turn' : ''}
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
