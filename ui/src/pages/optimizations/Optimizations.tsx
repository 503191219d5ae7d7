/** The searches for better versions of one prompt, newest first. */
import { Button } from '@mantine/core';
import { IconSparkles } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { type Optimization, optimizationsQuery } from '../../api/optimizations';
import { useRole } from '../../app/role';
import { useScope, useSetSearch } from '../../app/scope';
import { type Column, DataTable } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { Failure } from '../../parts/Failure';
import { count, figure } from '../../parts/format';
import { Status } from '../../parts/Status';
import { Money, When } from '../../parts/Value';
import { NewOptimizationForm } from './NewOptimization';
import classes from './Optimizations.module.css';
import { outcome } from './outcome';

export function Optimizations({ name, version }: { name: string; version: number }) {
  const { project } = useScope();
  const may = useRole();
  const navigate = useNavigate();
  const set = useSetSearch();
  const search = useSearch({ strict: false }) as { optimize?: string };
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    optimizationsQuery(project, name),
  );
  const rows = useMemo(() => data?.pages.flatMap((page) => page.items) ?? [], [data]);
  const begin = may('editor') && (
    <Button leftSection={<IconSparkles size={14} stroke={1.6} />} onClick={() => set({ optimize: '1' })}>
      Search for a better version
    </Button>
  );
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  return (
    <>
      {rows.length > 0 && (
        <div className={classes.bar}>
          <span className="dim">
            What is better on examples that a search has not seen becomes a version on the branch optimized.
          </span>
          <span className={classes.act}>{begin}</span>
        </div>
      )}
      <DataTable
        label="Searches"
        columns={COLUMNS}
        rows={rows}
        id={(one) => one.id}
        onOpen={(one) => void navigate({ to: '/optimizations/$id', params: { id: one.id } })}
        loading={!data || isFetchingNextPage}
        more={hasNextPage}
        onMore={() => void fetchNextPage()}
        height="100%"
        empty={
          <Empty
            title="Nobody has searched for a better version yet"
            command={`noria optimize run ${name} --dataset NAME --scorer NAME`}
            action={begin || undefined}
          >
            A model reads what went wrong, writes better words and tries them, within a budget. What wins must
            win again on examples that were kept apart.
          </Empty>
        }
      />
      {search.optimize !== undefined && (
        <NewOptimizationForm name={name} version={version} onClose={() => set({ optimize: null })} />
      )}
    </>
  );
}

const COLUMNS: Column<Optimization>[] = [
  {
    id: 'outcome',
    header: 'Outcome',
    width: 'minmax(150px, 1fr)',
    narrow: 'first',
    card: (one) => (
      <>
        <Status {...outcome(one)} hint={one.message || undefined} />
        <When ms={one.created_ms} />
      </>
    ),
    cell: (one) => <Status {...outcome(one)} hint={one.message || undefined} />,
    value: (one) => outcome(one).word,
  },
  {
    id: 'from',
    header: 'Began with',
    width: 'minmax(140px, 1.4fr)',
    cell: (one) => (
      <>
        version {one.version} <span className="dim">on {one.model}</span>
      </>
    ),
    value: (one) => one.version,
  },
  {
    id: 'measure',
    header: 'Measure',
    width: 'minmax(90px, 1fr)',
    cell: (one) => one.measure,
    value: (one) => one.measure,
  },
  {
    id: 'validation',
    header: 'On validation',
    width: '120px',
    end: true,
    cell: (one) =>
      one.before === null || one.after === null ? (
        <span className="dim">–</span>
      ) : (
        <span className="num" title="Means over the validation examples, by which the search chose">
          {figure(one.before)} → {figure(one.after)}
        </span>
      ),
    value: (one) => one.after,
  },
  {
    id: 'dataset',
    header: 'Dataset',
    width: 'minmax(100px, 1fr)',
    narrow: 'second',
    card: (one) => `${one.measure} on ${one.dataset}, from version ${one.version}`,
    cell: (one) => one.dataset,
    value: (one) => one.dataset,
  },
  {
    id: 'answers',
    header: 'Answers',
    width: '100px',
    end: true,
    cell: (one) => (
      <span className="num">
        {count(one.answered)} <span className="dim">of {count(one.answers)}</span>
      </span>
    ),
    value: (one) => one.answered,
  },
  {
    id: 'cost',
    header: 'Cost',
    width: '84px',
    end: true,
    cell: (one) => <Money value={one.cost} unknown={one.unknown} />,
    value: (one) => Number(one.cost),
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
