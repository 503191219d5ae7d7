/** Every run, newest first; two or more that are ticked can be compared. */
import { Button, Checkbox, NativeSelect, Switch } from '@mantine/core';
import { IconArrowsDiff } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { definitionsQuery, live, type Run, runsQuery } from '../../api/evals';
import { useScope, useSetSearch } from '../../app/scope';
import { type Column, DataTable } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { Failure } from '../../parts/Failure';
import { count, duration, percent } from '../../parts/format';
import { PeekPanel } from '../../parts/PeekPanel';
import { Status } from '../../parts/Status';
import { Money, When } from '../../parts/Value';
import classes from './Evaluations.module.css';
import { datasetOf, isTrial, quality, stateOf, targetOf } from './quality';
import { MeasureCell } from './RunCells';
import { RunPeek } from './RunPeek';

const STATES = ['queued', 'running', 'done', 'failed', 'stopped'] as const;

/** More lines cannot be told apart in one plot. */
const MOST = 6;

interface Search {
  name?: string;
  state?: string;
  metric?: string;
  pick?: string;
  run?: string;
  trials?: string;
}

export function Runs() {
  const { project } = useScope();
  const search = useSearch({ strict: false }) as Search;
  const set = useSetSearch();
  const navigate = useNavigate();
  const state = STATES.find((each) => each === search.state) ?? '';
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    runsQuery(project, search.name ?? '', state),
  );
  const names = useQuery(definitionsQuery(project)).data?.items.map((item) => item.name) ?? [];
  const every = useMemo(() => data?.pages.flatMap((page) => page.items) ?? [], [data]);
  // A study's runs are shown where one asks for them, or for their evaluation by name.
  const trials = search.trials === '1' || (search.name ?? '') !== '';
  const rows = useMemo(() => (trials ? every : every.filter((run) => !isTrial(run))), [every, trials]);
  const picked = useMemo(() => search.pick?.split(',').filter(Boolean) ?? [], [search.pick]);
  const metrics = useMemo(
    () => [...new Set(rows.flatMap((run) => quality(run.headlines).map((one) => one.name)))].sort(),
    [rows],
  );
  const metric = search.metric ?? '';
  const columns = useMemo(
    () =>
      make(project, metric, picked, (id) => {
        const next = picked.includes(id) ? picked.filter((each) => each !== id) : [...picked, id];
        set({ pick: next.slice(-MOST).join(',') || null }, { replace: true });
      }),
    [project, metric, picked, set],
  );
  // The oldest is what the others are measured against.
  const base = rows.findLast((run) => picked.includes(run.id))?.id ?? picked[0];
  const open = rows.find((run) => run.id === search.run);
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  return (
    <>
      <div className={classes.bar}>
        <NativeSelect
          aria-label="Evaluation"
          maw={220}
          data={[
            { value: '', label: 'All evaluations' },
            ...[...new Set([...names, ...every.map((run) => run.name)])].sort(),
          ]}
          value={search.name ?? ''}
          onChange={(event) => set({ name: event.currentTarget.value || null })}
        />
        <NativeSelect
          aria-label="State"
          data={[{ value: '', label: 'Any state' }, ...STATES]}
          value={state}
          onChange={(event) => set({ state: event.currentTarget.value || null })}
        />
        <NativeSelect
          aria-label="Metric"
          data={[{ value: '', label: 'First metric of each' }, ...metrics]}
          value={metric}
          onChange={(event) => set({ metric: event.currentTarget.value || null })}
        />
        <span className={`num dim ${classes.count}`}>
          {data ? `${count(rows.length)}${hasNextPage ? '+' : ''} runs` : ''}
        </span>
        {!search.name && (trials || rows.length < every.length) && (
          <Switch
            label="Trials of searches, too"
            checked={trials}
            onChange={(event) => set({ trials: event.currentTarget.checked ? '1' : null })}
          />
        )}
        {picked.length > 1 && base && (
          <Button
            component={Link}
            to="/evaluations/compare"
            search={{ base, with: picked.filter((id) => id !== base).join(',') } as never}
            leftSection={<IconArrowsDiff size={14} stroke={1.6} />}
          >
            Compare {picked.length} runs
          </Button>
        )}
        {picked.length === 1 && <span className="dim">Tick another to compare.</span>}
      </div>
      <DataTable
        label="Runs"
        columns={columns}
        rows={rows}
        id={(run) => run.id}
        open={search.run ?? null}
        onPeek={(run) => set({ run: run.id }, { replace: search.run !== undefined })}
        onOpen={(run) => void navigate({ to: '/evaluations/$id', params: { id: run.id } })}
        loading={!data || isFetchingNextPage}
        more={hasNextPage}
        onMore={() => void fetchNextPage()}
        height="100%"
        empty={
          search.name || state || every.length > 0 ? (
            <Empty title="No run is like that">Choose another evaluation or state.</Empty>
          ) : (
            <Empty title="Nothing has been evaluated yet" command="noria eval run NAME">
              A run answers every example of a dataset, scores the answers, and says how good they are and how
              sure that is.
            </Empty>
          )
        }
      />
      {open && (
        <PeekPanel label={`Run ${open.name}`} onClose={() => set({ run: null })}>
          <RunPeek id={open.id} />
        </PeekPanel>
      )}
    </>
  );
}

function make(
  project: string,
  metric: string,
  picked: readonly string[],
  onPick: (id: string) => void,
): Column<Run>[] {
  return [
    {
      id: 'pick',
      header: '',
      width: '20px',
      cell: (run) => (
        <Checkbox
          aria-label={`Compare ${run.name} of ${targetOf(run)}`}
          checked={picked.includes(run.id)}
          onClick={(event) => event.stopPropagation()}
          onChange={() => onPick(run.id)}
        />
      ),
    },
    {
      id: 'name',
      header: 'Evaluation',
      width: 'minmax(90px, 1fr)',
      narrow: 'first',
      card: (run) => (
        <>
          <Status {...stateOf(run)} bare />
          <span className="ellipsis">{run.name}</span>
          <MeasureCell project={project} run={run} metric={metric} />
        </>
      ),
      cell: (run) => <b className={classes.name}>{run.name}</b>,
      value: (run) => run.name,
    },
    {
      id: 'target',
      header: 'What answered',
      width: 'minmax(160px, 2fr)',
      narrow: 'second',
      cell: (run) => <span title={run.target}>{targetOf(run)}</span>,
      value: (run) => run.target,
    },
    {
      id: 'dataset',
      header: 'Dataset',
      width: 'minmax(110px, 1.2fr)',
      cell: (run) => <span title={run.dataset}>{datasetOf(run)}</span>,
      value: (run) => run.dataset,
    },
    {
      id: 'state',
      header: 'State',
      width: '150px',
      cell: (run) => <State run={run} />,
      value: (run) => run.state,
    },
    {
      id: 'metric',
      header: metric || 'Metric',
      width: '246px',
      cell: (run) => <MeasureCell project={project} run={run} metric={metric} named={!metric} />,
    },
    {
      id: 'examples',
      header: 'Answers',
      width: '64px',
      end: true,
      cell: (run) => <span className="num">{count(run.progress.answered)}</span>,
      value: (run) => run.progress.answered,
    },
    {
      id: 'cost',
      header: 'Cost',
      width: '84px',
      end: true,
      cell: (run) => <Money value={run.progress.cost} unknown={run.progress.unknown} />,
      value: (run) => Number(run.progress.cost),
    },
    {
      id: 'when',
      header: 'When',
      width: '78px',
      end: true,
      cell: (run) => <When ms={run.created_ms} />,
      value: (run) => run.created_ms,
    },
  ];
}

function State({ run }: { run: Run }) {
  const { answered, total } = run.progress;
  if (!live(run)) {
    const failed = run.progress.failed + run.progress.failed_scores;
    return (
      <span className={classes.state}>
        <Status {...stateOf(run)} hint={run.message || undefined} />
        {failed > 0 && <span className={classes.failed}>{count(failed)} failed</span>}
      </span>
    );
  }
  const left =
    total && answered > 4 && run.started_ms
      ? ((Date.now() - run.started_ms) / answered) * (total - answered)
      : null;
  return (
    <span className={classes.state} title={left ? `about ${duration(left)} left` : undefined}>
      <Status tone="none" word={run.state} bare />
      <progress className={classes.thin} value={total ? answered / total : undefined} aria-label="Progress" />
      <span className="num dim">{total ? percent(answered / total) : 'begins'}</span>
    </span>
  );
}
