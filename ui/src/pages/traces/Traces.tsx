/** Every trace: when and how slow, by what, and the list. */
import { Button, NativeSelect } from '@mantine/core';
import { useDisclosure, useMediaQuery } from '@mantine/hooks';
import { IconFilter } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useMemo } from 'react';
import { ApiError, type Schemas } from '../../api/client';
import { facetsQuery, heatMapQuery, type Sort, tracesQuery } from '../../api/queries';
import type { TracesSearch } from '../../app/router';
import { type RootSearch, useScope, useSetSearch } from '../../app/scope';
import { Command } from '../../parts/Command';
import { DataTable } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { Facets } from '../../parts/Facets';
import { Failure } from '../../parts/Failure';
import { FilterBar } from '../../parts/FilterBar';
import { replace, toggle } from '../../parts/filter';
import { count } from '../../parts/format';
import { isLive, zoomed } from '../../parts/range';
import { PeekTrace } from '../trace/PeekTrace';
import { columns } from './columns';
import { NewRows } from './NewRows';
import classes from './Traces.module.css';

const HeatMap = lazy(() => import('../../charts/HeatMap').then((found) => ({ default: found.HeatMap })));

const SORTS: { value: Sort; label: string }[] = [
  { value: 'newest', label: 'Newest first' },
  { value: 'oldest', label: 'Oldest first' },
  { value: 'slowest', label: 'Slowest first' },
  { value: 'costliest', label: 'Costliest first' },
];

export function TracesPage() {
  const scope = useScope();
  const search = useSearch({ strict: false }) as TracesSearch & RootSearch;
  const set = useSetSearch();
  const navigate = useNavigate();
  const cache = useQueryClient();
  const wide = useMediaQuery('(min-width: 62em)') ?? true;
  const [facetsOpen, facets] = useDisclosure(false);
  const sort = search.sort ?? 'newest';
  const q = search.q ?? '';
  const asked = { ...scope, ...(q ? { q } : {}) };

  const pages = useInfiniteQuery(tracesQuery(asked, sort));
  const heat = useQuery(heatMapQuery(asked));
  const counts = useQuery(facetsQuery(asked));
  const rows = useMemo(() => pages.data?.pages.flatMap((page) => page.items) ?? [], [pages.data]);
  const longest = useMemo(() => Math.max(1, ...rows.map((row) => row.duration_ms)), [rows]);
  const drawn = useMemo(() => columns(longest), [longest]);
  const total = pages.data?.pages[0]?.total;
  // Where the list does not say how many match, the heat map nearly does: its first step may reach further back.
  const drawnTotal = (heat.data?.counts ?? []).flat().reduce((sum, each) => sum + each, 0);
  const incomplete = pages.data?.pages.at(-1)?.complete === false;
  const refused = pages.error instanceof ApiError && pages.error.status === 400 ? pages.error.message : null;

  const more = useCallback(() => {
    if (!pages.isFetchingNextPage && pages.hasNextPage) void pages.fetchNextPage();
  }, [pages.isFetchingNextPage, pages.hasNextPage, pages.fetchNextPage]);
  const open = (row: Schemas['TraceSummary']) => void navigate({ to: '/traces/$id', params: { id: row.id } });
  const peek = (row: Schemas['TraceSummary']) =>
    set({ peek: row.id, span: null }, { replace: search.peek !== undefined });

  return (
    <div className={classes.page}>
      <h1 className="visually-hidden">Traces</h1>
      <FilterBar placeholder='model:gpt-* latency>2s status:error "refund"' error={refused} />
      <div className={classes.heat}>
        {heat.data && heat.data.times_ms.length > 0 ? (
          <Suspense fallback={<div className={classes.heatShape} />}>
            <HeatMap
              title="Latency"
              data={heat.data}
              onChoose={({ startMs, endMs, latency }) => {
                const range = zoomed(startMs, endMs);
                set({
                  from: range.from,
                  to: range.to,
                  ...(latency
                    ? {
                        q: replace(q, 'latency', [`latency>=${ms(latency[0])}`, `latency<${ms(latency[1])}`]),
                      }
                    : {}),
                });
              }}
            />
          </Suspense>
        ) : (
          <div className={classes.heatShape} />
        )}
      </div>
      <div className={classes.bar}>
        {!wide && (
          <Button
            variant="default"
            leftSection={<IconFilter size={14} stroke={1.6} />}
            onClick={facets.toggle}
          >
            Facets
          </Button>
        )}
        <span className={`num ${classes.total}`}>
          {total !== null && total !== undefined
            ? `${count(total)} ${total === 1 ? 'trace' : 'traces'}`
            : pages.data
              ? pages.hasNextPage
                ? `about ${count(Math.max(rows.length, drawnTotal))} traces`
                : `${count(rows.length)} traces`
              : ''}
        </span>
        {incomplete && (
          <Button variant="subtle" onClick={more} loading={pages.isFetchingNextPage}>
            The search ran out of time: go on
          </Button>
        )}
        {isLive(scope) && sort === 'newest' && (
          <NewRows
            project={scope.project}
            q={q}
            onShow={() => {
              void cache.invalidateQueries({ queryKey: ['traces'] });
              void cache.invalidateQueries({ queryKey: ['heatmap'] });
              void cache.invalidateQueries({ queryKey: ['facets'] });
            }}
          />
        )}
        <NativeSelect
          aria-label="Order"
          ml="auto"
          data={SORTS}
          value={sort}
          onChange={(event) =>
            set({ sort: event.currentTarget.value === 'newest' ? null : event.currentTarget.value })
          }
        />
      </div>
      <div className={classes.columns} data-facets={wide || facetsOpen || undefined}>
        {(wide || facetsOpen) && (
          <Facets
            data={counts.data}
            q={q}
            onToggle={(field, value) => set({ q: toggle(q, field, value) || null })}
          />
        )}
        <div className={classes.list}>
          {pages.error && !refused ? (
            <Failure error={pages.error} retry={() => void pages.refetch()} />
          ) : (
            <DataTable
              label="Traces"
              columns={drawn}
              rows={rows}
              id={(row) => row.id}
              open={search.peek ?? null}
              onOpen={open}
              onPeek={peek}
              loading={pages.isPending || pages.isFetchingNextPage}
              more={pages.hasNextPage && !incomplete}
              onMore={more}
              height="100%"
              empty={
                q ? (
                  <Empty title="No trace matches">
                    Take a word out of the filter, or choose a longer range of time.
                  </Empty>
                ) : (
                  <Empty title="No traces in this time">
                    Every call through the gateway is a trace, and so is whatever your own code sends by
                    OpenTelemetry.
                    <Command
                      text={`export OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=${window.location.origin}/v1/traces`}
                    />
                  </Empty>
                )
              }
            />
          )}
        </div>
      </div>
      <PeekTrace />
    </div>
  );
}

/** A latency as the filter language takes it. */
const ms = (value: number) => `${value < 10 ? value.toFixed(2) : Math.round(value)}ms`;
