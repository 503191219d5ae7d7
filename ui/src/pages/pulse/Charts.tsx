import { useMemo } from 'react';
import type { Schemas } from '../../api/client';
import { useSetRange } from '../../app/scope';
import { seriesColours } from '../../charts/colour';
import { TimeSeries } from '../../charts/TimeSeries';
import { count, duration, money, percent, rate } from '../../parts/format';
import classes from './Pulse.module.css';

/** Routes and error classes beyond this many are drawn as one. */
const MOST = 7;

/** Of error classes, the largest first: none of the colours that mean that all is well. */
const FAULTS = ['--n-bad', '--n-s2', '--n-s5', '--n-s7', '--n-s4', '--n-s8'];

export function Charts({ pulse }: { pulse: Schemas['Pulse'] }) {
  const zoom = useSetRange();
  const { series, totals, times_ms: times, step_ms: stepMs, marks } = pulse;
  const domain = useMemo(() => [pulse.start_ms, pulse.end_ms] as const, [pulse.start_ms, pulse.end_ms]);
  const shared = { times, stepMs, domain, marks, onZoom: zoom };

  const latency = useMemo(
    () => [
      { name: 'p50', colour: '--n-accent', values: series.p50_ms, rest: duration(totals.p50_ms) },
      { name: 'p95', colour: '--n-accent', values: series.p95_ms, rest: duration(totals.p95_ms) },
      { name: 'p99', colour: '--n-accent', values: series.p99_ms, rest: duration(totals.p99_ms) },
    ],
    [series, totals],
  );
  const first = useMemo(
    () => [
      {
        name: 'p50',
        colour: '--n-s3',
        values: series.first_token_p50_ms,
        rest: duration(totals.first_token_p50_ms),
      },
      {
        name: 'p95',
        colour: '--n-s3',
        values: series.first_token_p95_ms,
        rest: duration(totals.first_token_p95_ms),
      },
      { name: 'p99', colour: '--n-s3', values: series.first_token_p99_ms },
    ],
    [series, totals],
  );
  const requests = useMemo(() => {
    // The last step may still be filling: its rate would look like a fall.
    const whole = series.requests_per_s.map((value, at) =>
      (times[at] ?? 0) + stepMs > pulse.end_ms ? null : value,
    );
    // Who has only just begun has nothing else to look at.
    const shown = whole.some((value) => value) ? whole : series.requests_per_s;
    return [
      {
        name: 'requests',
        colour: '--n-accent',
        values: shown,
        rest: rate(totals.requests_per_s),
      },
    ];
  }, [series, totals, times, stepMs, pulse.end_ms]);
  const errors = useMemo(
    () =>
      named(series.errors, (value) => count(value)).map((each, at) => ({
        ...each,
        colour: FAULTS[at] ?? '--n-neutral-bar',
      })),
    [series],
  );
  const cost = useMemo(() => {
    const numbers = Object.fromEntries(
      Object.entries(series.cost).map(([route, values]) => [route || 'no route', values.map(Number)]),
    );
    return named(numbers, (value) => money(value));
  }, [series]);
  const shares = useMemo(
    () => [
      {
        name: 'cache hits',
        colour: '--n-s3',
        values: series.cache_hit_share,
        rest: percent(totals.cache_hit_share),
      },
      {
        name: 'fallbacks',
        colour: '--n-s2',
        values: series.fallback_share,
        rest: percent(totals.fallback_share),
      },
      { name: 'retries', colour: '--n-s4', values: series.retry_share, rest: percent(totals.retry_share) },
    ],
    [series, totals],
  );

  return (
    <div className={classes.charts}>
      <TimeSeries {...shared} title="Latency" kind="ribbon" series={latency} format={duration} named />
      <TimeSeries {...shared} title="Time to first token" kind="ribbon" series={first} format={duration} />
      <TimeSeries {...shared} title="Requests" kind="lines" series={requests} format={rate} />
      <TimeSeries {...shared} title="Errors by class" kind="bars" series={errors} format={count} whole />
      <TimeSeries {...shared} title="Cost by route" kind="bars" series={cost} format={money} />
      <TimeSeries
        {...shared}
        title="Cache, fallback, retry"
        kind="lines"
        series={shares}
        format={percent}
        top={1}
      />
    </div>
  );
}

/** One series a name, largest first, the small ones together. */
function named(rows: Record<string, number[]>, format: (value: number) => string) {
  const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
  const sorted = Object.entries(rows).sort((a, b) => total(b[1]) - total(a[1]));
  const colours = seriesColours(sorted.slice(0, MOST).map(([name]) => name));
  const found = sorted.slice(0, MOST).map(([name, values]) => ({
    name,
    colour: colours.get(name) ?? '--n-s8',
    values,
    rest: format(total(values)),
  }));
  const rest = sorted.slice(MOST).map(([, values]) => values);
  if (rest.length > 0) {
    const values = (rest[0] ?? []).map((_, at) => rest.reduce((sum, row) => sum + (row[at] ?? 0), 0));
    found.push({
      name: `${rest.length} others`,
      colour: '--n-neutral-bar',
      values,
      rest: format(total(values)),
    });
  }
  return found;
}
