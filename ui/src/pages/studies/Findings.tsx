/** What a study says: the best trial with its doubt, which parameters decided, and the shape of it all. */
import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { importanceQuery, type Parameter, type Study, type Trial, underWay } from '../../api/studies';
import { useScope, useSetSearch } from '../../app/scope';
import type { Axis } from '../../charts/axis';
import { Parallel, type Strand } from '../../charts/Parallel';
import { type Dot, Scatter } from '../../charts/Scatter';
import { Shares } from '../../charts/Shares';
import { Empty } from '../../parts/Empty';
import { figure } from '../../parts/format';
import { Section } from '../../parts/Page';
import { Money } from '../../parts/Value';
import classes from './Studies.module.css';
import { axisOf, rangeOf, reached, record, said, valuesOf, word } from './space';

/** Fewer say nothing about which parameter decides; the server gives none below it. */
const ENOUGH = 10;

export function Findings({ study, trials }: { study: Study; trials: readonly Trial[] }) {
  const { project } = useScope();
  const search = useSearch({ strict: false }) as { trial?: string };
  const set = useSetSearch();
  const choose = (id: string) => set({ trial: id === search.trial ? null : id }, { replace: true });
  const { progress } = study;
  const { data } = useQuery({
    ...importanceQuery(project, study.id, progress.done),
    enabled: progress.done >= ENOUGH,
  });
  const axes = useMemo(
    () =>
      Object.entries(study.parameters).map(
        ([name, parameter]) => [name, axisOf(parameter as unknown as Parameter)] as const,
      ),
    [study.parameters],
  );
  const range = useMemo(() => rangeOf(trials), [trials]);
  const drawn = trials.filter((trial) => reached(trial) !== null);
  const best = trials.find((trial) => trial.number === progress.best) ?? null;
  const chosen = search.trial ?? null;
  const picked = trials.find((trial) => String(trial.number) === chosen) ?? best;
  if (drawn.length === 0) {
    return (
      <Empty title={underWay(study) ? 'No trial has ended yet' : 'No trial has come to a value'}>
        {study.progress.failed > 0
          ? 'Every trial failed; the tab Trials says why.'
          : 'Each trial runs the evaluation with one set of values; the first results show here.'}
      </Empty>
    );
  }
  const dot = (trial: Trial, x: unknown): Dot => ({
    id: String(trial.number),
    x,
    y: reached(trial) ?? 0,
    low: trial.low,
    high: trial.high,
    partial: trial.state !== 'done',
    words: `Trial ${trial.number}: ${figure(reached(trial) ?? 0)}${trial.state === 'done' ? '' : ` (given up early)`}; ${valuesOf(trial)}`,
  });
  const shared = { best: best ? String(best.number) : null, chosen, onChoose: choose, range };
  const order: Axis = {
    kind: 'number',
    low: 0,
    high: Math.max(1, ...trials.map((trial) => trial.number)),
    log: false,
    whole: true,
  };
  const strands: Strand[] = drawn.map((trial) => ({
    id: String(trial.number),
    values: trial.values,
    value: reached(trial) ?? 0,
    partial: trial.state !== 'done',
    words: `Trial ${trial.number}: ${figure(reached(trial) ?? 0)}; ${valuesOf(trial)}`,
  }));
  return (
    <>
      <div className={classes.top}>
        {picked && <Picked study={study} trial={picked} best={picked === best} />}
        <Section title="What decided">
          {progress.done < ENOUGH ? (
            <p className={classes.words}>
              Which parameters matter can be told from {ENOUGH} whole trials on; there are {progress.done}.
            </p>
          ) : data && Object.keys(data.shares).length > 0 ? (
            <Shares title="Share of the differences between trials" shares={data.shares} />
          ) : (
            <p className={classes.words}>
              {data ? 'The trials do not differ, so no parameter decided.' : 'Working it out …'}
            </p>
          )}
        </Section>
      </div>
      <Section title="Trials" note="a click on a point shows its trial; squares were given up early">
        <div className={classes.charts}>
          <Scatter
            {...shared}
            title="In their order, with the best so far"
            axis={order}
            dots={drawn.map((trial) => dot(trial, trial.number))}
            line={record(trials, study.better)}
          />
          {axes.map(([name, axis]) => (
            <Scatter
              key={name}
              {...shared}
              title={name}
              axis={axis}
              dots={drawn.map((trial) => dot(trial, trial.values[name]))}
            />
          ))}
        </div>
      </Section>
      {axes.length > 1 && (
        <Section title="All parameters together">
          <div className={classes.wide}>
            <Parallel
              title={`A line is a trial; the stronger, the ${study.better}`}
              axes={axes}
              strands={strands}
              measure="value"
              range={range}
              better={study.better}
              chosen={chosen ?? (best ? String(best.number) : null)}
              onChoose={choose}
            />
          </div>
        </Section>
      )}
    </>
  );
}

function Picked({ study, trial, best }: { study: Study; trial: Trial; best: boolean }) {
  const half = trial.low === null || trial.high === null ? null : (trial.high - trial.low) / 2;
  const run = trial.evidence.run;
  return (
    <Section title={best ? `Best: trial ${trial.number}` : `Trial ${trial.number}`}>
      <p className={classes.value}>
        <b className="num">{trial.value === null ? word(trial) : figure(trial.value, half)}</b>
        {half !== null && <span className="num dim">±{figure(half, half)}</span>}
        <Money value={trial.cost} />
        {run && (
          <Link to="/evaluations/$id" params={{ id: run }}>
            the run behind it
          </Link>
        )}
      </p>
      {trial.reason && <p className={classes.words}>{trial.reason}</p>}
      <dl className={classes.facts}>
        {Object.entries(trial.values).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="num">{said(value)}</dd>
          </div>
        ))}
      </dl>
      {best && study.progress.done > 1 && (
        <p className={classes.words}>
          The best of {study.progress.done} looks a little better than it is. Compare it on examples that the
          study has not used before it goes live.
        </p>
      )}
    </Section>
  );
}
