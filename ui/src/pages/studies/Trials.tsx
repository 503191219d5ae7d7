/** Every trial with its values, what it came to, and the run that measured it. */
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { Study, Trial } from '../../api/studies';
import { useSetSearch } from '../../app/scope';
import { type Column, DataTable } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { Estimate } from '../../parts/Estimate';
import { duration, figure } from '../../parts/format';
import { Status } from '../../parts/Status';
import { Money } from '../../parts/Value';
import classes from './Studies.module.css';
import { said, TONES, valuesOf, word } from './space';

export function Trials({ study, trials }: { study: Study; trials: readonly Trial[] }) {
  const search = useSearch({ strict: false }) as { trial?: string };
  const set = useSetSearch();
  const navigate = useNavigate();
  const columns = useMemo(() => make(study), [study]);
  return (
    <DataTable
      label="Trials"
      columns={columns}
      rows={trials}
      id={(trial) => String(trial.number)}
      open={search.trial ?? null}
      onPeek={(trial) => set({ trial: String(trial.number) }, { replace: true })}
      onOpen={(trial) => {
        const run = trial.evidence.run;
        if (run) void navigate({ to: '/evaluations/$id', params: { id: run } });
      }}
      height="100%"
      empty={<Empty title="No trial has begun" />}
    />
  );
}

function make(study: Study): Column<Trial>[] {
  const best = study.progress.best;
  return [
    {
      id: 'number',
      header: 'Trial',
      width: '52px',
      end: true,
      cell: (trial) => <span className="num">{trial.number}</span>,
      value: (trial) => trial.number,
    },
    {
      id: 'value',
      header: 'Value',
      width: '150px',
      narrow: 'first',
      card: (trial) => (
        <>
          <Status tone={TONES[trial.state]} word={word(trial)} bare />
          <span className="num">
            {trial.number}: {trial.value === null ? word(trial) : figure(trial.value)}
          </span>
          {trial.number === best && <b>best</b>}
        </>
      ),
      cell: (trial) => (
        <span className={classes.cell}>
          <Estimate
            of={{
              estimate: trial.value,
              low: trial.low,
              high: trial.high,
              level: 0.95,
              n: 1,
              method: trial.reason || 'the objective gives none',
            }}
            noun="trial"
          />
          {trial.number === best && <b className={classes.best}>best</b>}
        </span>
      ),
      value: (trial) => trial.value,
    },
    {
      id: 'values',
      header: '',
      width: '0px',
      narrow: 'second',
      cell: () => null,
      card: valuesOf,
    },
    ...Object.keys(study.parameters).map(
      (name): Column<Trial> => ({
        id: `parameter ${name}`,
        header: name,
        width: 'minmax(80px, 1fr)',
        cell: (trial) => <span className="num">{said(trial.values[name])}</span>,
        value: (trial) => {
          const value = trial.values[name] ?? null;
          return typeof value === 'boolean' ? String(value) : value;
        },
      }),
    ),
    {
      id: 'state',
      header: 'State',
      width: '100px',
      cell: (trial) => (
        <Status tone={TONES[trial.state]} word={word(trial)} hint={trial.reason || undefined} />
      ),
      value: (trial) => trial.state,
    },
    {
      id: 'took',
      header: 'Took',
      width: '70px',
      end: true,
      cell: (trial) => (
        <span className="num">{trial.ended_ms ? duration(trial.ended_ms - trial.started_ms) : '–'}</span>
      ),
      value: (trial) => (trial.ended_ms ? trial.ended_ms - trial.started_ms : null),
    },
    {
      id: 'cost',
      header: 'Cost',
      width: '80px',
      end: true,
      cell: (trial) => <Money value={trial.cost} />,
      value: (trial) => (trial.cost === null ? null : Number(trial.cost)),
    },
    {
      id: 'run',
      header: 'Evidence',
      width: '76px',
      end: true,
      cell: (trial) =>
        trial.evidence.run ? (
          <Link
            to="/evaluations/$id"
            params={{ id: trial.evidence.run }}
            className={classes.link}
            onClick={(event) => event.stopPropagation()}
          >
            the run
          </Link>
        ) : (
          <span className="dim">–</span>
        ),
    },
  ];
}
