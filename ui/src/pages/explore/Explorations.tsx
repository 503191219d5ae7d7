/** Models that were asked the same: explorations of a task and comparisons over a dataset, newest first. */
import { Button } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { type Exploration, explorationsQuery } from '../../api/explorations';
import { useRole } from '../../app/role';
import { useScope, useSetSearch } from '../../app/scope';
import { type Column, DataTable } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { Failure } from '../../parts/Failure';
import { count } from '../../parts/format';
import { Status } from '../../parts/Status';
import { When } from '../../parts/Value';
import classes from './Explore.module.css';
import { NewComparisonForm } from './NewComparison';
import { STATES } from './told';

export function Explorations() {
  const { project } = useScope();
  const may = useRole();
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as { new?: string };
  const set = useSetSearch();
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    explorationsQuery(project),
  );
  const rows = useMemo(() => data?.pages.flatMap((page) => page.items) ?? [], [data]);
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  const begin = may('editor') && (
    <Button
      variant="default"
      leftSection={<IconPlus size={14} stroke={1.6} />}
      onClick={() => set({ new: '1' })}
    >
      Compare models
    </Button>
  );
  return (
    <>
      {rows.length > 0 && (
        <div className={classes.bar}>
          <span className="dim">
            Models that were asked the same, with what their cards say and what was measured
          </span>
          {begin}
        </div>
      )}
      <DataTable
        label="Explorations and comparisons"
        columns={COLUMNS}
        rows={rows}
        id={(one) => one.id}
        onOpen={(one) => void navigate({ to: '/explorations/$id', params: { id: one.id } })}
        loading={!data || isFetchingNextPage}
        more={hasNextPage}
        onMore={() => void fetchNextPage()}
        height="100%"
        empty={
          <Empty
            title="Nothing was compared yet"
            command="noria explore BRIEF.md --samples FILE"
            action={begin || undefined}
          >
            A comparison asks several models the examples of a dataset and sets quality, cost and latency
            beside their cards. An exploration begins with a brief and 5 to 50 samples, and says whether the
            task is feasible.
          </Empty>
        }
      />
      {search.new !== undefined && <NewComparisonForm onClose={() => set({ new: null })} />}
    </>
  );
}

const COLUMNS: Column<Exploration>[] = [
  {
    id: 'title',
    header: 'Title',
    width: 'minmax(140px, 1.5fr)',
    narrow: 'first',
    card: (one) => (
      <>
        <Status tone={STATES[one.state]} word={one.state} bare />
        <span className="ellipsis">{one.title}</span>
      </>
    ),
    cell: (one) => <b className={classes.name}>{one.title}</b>,
    value: (one) => one.title,
  },
  {
    id: 'kind',
    header: 'What',
    width: '104px',
    cell: (one) => one.kind,
    value: (one) => one.kind,
  },
  {
    id: 'models',
    header: 'Models',
    width: 'minmax(140px, 2fr)',
    narrow: 'second',
    cell: (one) => one.models.join(', '),
  },
  {
    id: 'dataset',
    header: 'Samples',
    width: 'minmax(110px, 1fr)',
    cell: (one) => (
      <span>
        {one.dataset} <span className="dim num">{count(one.samples)}</span>
      </span>
    ),
  },
  {
    id: 'state',
    header: 'State',
    width: '100px',
    cell: (one) => <Status tone={STATES[one.state]} word={one.state} hint={one.message || undefined} />,
    value: (one) => one.state,
  },
  {
    id: 'when',
    header: 'When',
    width: '84px',
    end: true,
    cell: (one) => <When ms={one.created_ms} />,
    value: (one) => one.created_ms,
  },
];
