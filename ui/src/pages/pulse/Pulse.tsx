/** How it goes now: four readings, four charts on one axis of time, what changed, and the slowest traces. */
import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { pulseQuery, routesQuery } from '../../api/queries';
import { useScope } from '../../app/scope';
import { reading } from '../../charts/reading';
import { Command } from '../../parts/Command';
import { Empty } from '../../parts/Empty';
import { Failure } from '../../parts/Failure';
import { FilterBar } from '../../parts/FilterBar';
import { isLive } from '../../parts/range';
import { PeekTrace } from '../trace/PeekTrace';
import { Aside } from './Aside';
import classes from './Pulse.module.css';
import { Readings } from './Readings';

const Charts = lazy(() => import('./Charts').then((found) => ({ default: found.Charts })));

export function PulsePage() {
  const scope = useScope();
  const { q } = useSearch({ strict: false }) as { q?: string };
  const asked = { ...scope, ...(q ? { q } : {}) };
  const live = isLive(scope);
  const { data, error, refetch } = useQuery({
    ...pulseQuery(asked),
    // A live page moves on by itself, but not under the pointer of someone who reads a value.
    refetchInterval: () => (live && reading() === null ? 5_000 : false),
  });

  const empty = data?.totals.requests === 0;
  const routes = useQuery({ ...routesQuery(scope.project), enabled: empty });

  if (error && !data) return <Failure error={error} retry={() => void refetch()} whole />;
  return (
    <div className={classes.page}>
      <h1 className="visually-hidden">Pulse</h1>
      <FilterBar placeholder="All calls: narrow with model:… route:… user:… team:…" />
      <Readings pulse={data} />
      {empty ? (
        <Empty title={q ? 'No call matches in this time' : 'No calls in this time'}>
          {q ? (
            'Take a word out of the filter, or choose a longer range of time above.'
          ) : (
            <>
              Point any OpenAI or Anthropic client at this address, and every call shows here within a second.
              <span className={classes.command}>
                <Command
                  text={`curl ${window.location.origin}/v1/chat/completions -H 'content-type: application/json' -d '{"model": "${routes.data?.items.find((route) => !route.implicit)?.name ?? 'default'}", "messages": [{"role": "user", "content": "Hello"}]}'`}
                />
              </span>
            </>
          )}
        </Empty>
      ) : (
        <div className={classes.columns}>
          <Suspense fallback={<Shape />}>{data ? <Charts pulse={data} /> : <Shape />}</Suspense>
          <Aside pulse={data} />
        </div>
      )}
      <PeekTrace />
    </div>
  );
}

function Shape() {
  return (
    <div className={classes.charts}>
      {[0, 1, 2, 3].map((each) => (
        <Skeleton key={each} height={180} />
      ))}
    </div>
  );
}
