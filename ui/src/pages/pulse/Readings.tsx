import { Skeleton } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Schemas } from '../../api/client';
import { Sparkline } from '../../charts/Sparkline';
import { change, count, duration, money, rate, wilson } from '../../parts/format';
import { Interval } from '../../parts/Interval';
import classes from './Pulse.module.css';

/** Requests, p95, errors and cost an hour; each leads to what is behind it. */
export function Readings({ pulse }: { pulse: Schemas['Pulse'] | undefined }) {
  if (!pulse) {
    return (
      <div className={classes.readings}>
        {[0, 1, 2, 3].map((each) => (
          <div key={each} className={classes.reading}>
            <Skeleton height={12} width={90} mb={10} />
            <Skeleton height={24} width={120} mb={8} />
            <Skeleton height={28} />
          </div>
        ))}
      </div>
    );
  }
  const { totals, previous, series } = pulse;
  const hours = (pulse.end_ms - pulse.start_ms) / 3_600_000;
  const errors = sum(Object.values(series.errors), pulse.times_ms.length);
  const cost = sum(
    Object.values(series.cost).map((values) => values.map(Number)),
    pulse.times_ms.length,
  );
  const known = totals.requests === 0 || totals.unknown_cost < totals.requests || Number(totals.cost) > 0;
  return (
    <div className={classes.readings}>
      <Reading
        to="/traces"
        title="Requests"
        figure={rate(totals.requests_per_s)}
        note={`${count(totals.requests)} in all`}
        delta={change(totals.requests, previous.requests)}
        values={series.requests_per_s}
      />
      <Reading
        to="/traces"
        search={{ sort: 'slowest' }}
        title="Latency p95"
        figure={duration(totals.p95_ms)}
        note={`first token ${duration(totals.first_token_p95_ms)}`}
        delta={change(totals.p95_ms, previous.p95_ms)}
        worse={differs(totals.p95_ms, previous.p95_ms) ? 'up' : undefined}
        values={series.p95_ms}
      />
      <Reading
        to="/traces"
        search={{ q: 'status:error' }}
        title="Errors"
        figure={<Interval hits={totals.errors} of={totals.requests} noun="calls" />}
        note={`${count(totals.errors)} failed`}
        delta={change(totals.error_share, previous.error_share)}
        worse={apart(totals, previous) ? 'up' : undefined}
        values={errors}
        colour="--n-bad"
      />
      <Reading
        to="/costs"
        title="Cost an hour"
        figure={known ? money(Number(totals.cost) / hours) : 'unknown'}
        note={
          totals.unknown_cost > 0
            ? `${count(totals.unknown_cost)} calls without a price`
            : `${money(totals.cost)} in all`
        }
        delta={change(Number(totals.cost), Number(previous.cost))}
        values={cost}
      />
    </div>
  );
}

/** Whether a latency changed by more than a tenth, which is what catches the eye. */
const differs = (now: number | null, before: number | null) =>
  now !== null && before !== null && Math.abs(now / before - 1) > 0.1;

/** Whether two error shares differ beyond their doubt: their intervals do not touch. */
function apart(now: Schemas['PulseTotals'], before: Schemas['PulseTotals']): boolean {
  const a = wilson(now.errors, now.requests);
  const b = wilson(before.errors, before.requests);
  return a !== null && b !== null && (a[0] > b[1] || b[0] > a[1]);
}

function sum(rows: readonly (readonly number[])[], length: number): number[] {
  return Array.from({ length }, (_, at) => rows.reduce((all, row) => all + (row[at] ?? 0), 0));
}

function Reading(props: {
  to: '/traces' | '/costs';
  search?: Record<string, string>;
  title: string;
  figure: ReactNode;
  note: string;
  delta: string | null;
  /** The direction that is bad news; absent: neither is. */
  worse?: 'up';
  values: readonly (number | null)[];
  colour?: string;
}) {
  const { to, search, title, figure, note, delta, worse, values, colour } = props;
  const up = delta?.startsWith('+') || delta?.startsWith('×');
  const tone = !worse || !delta ? undefined : up ? 'bad' : 'good';
  return (
    <Link to={to} search={search as never} className={classes.reading}>
      <span className={classes.name}>
        {title}
        {delta && (
          <span
            className={classes.delta}
            data-tone={tone}
            title="against the same length of time just before"
          >
            {delta === 'same' ? 'as before' : delta}
          </span>
        )}
      </span>
      <span className={`num ${classes.figure}`}>{figure}</span>
      <span className={classes.note}>{note}</span>
      <Sparkline values={values} colour={colour} />
    </Link>
  );
}
