/** One measure by tag, by metadata and by length of the input; the worst stand first where one asks for it. */
import { NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { type Run, slicesQuery } from '../../api/evals';
import { useScope, useSetSearch } from '../../app/scope';
import { type Column, DataTable } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { Failure } from '../../parts/Failure';
import { count } from '../../parts/format';
import classes from './Evaluations.module.css';
import { Value } from './Measures';

export function Slices({ run, names }: { run: Run; names: readonly string[] }) {
  const { project } = useScope();
  const search = useSearch({ strict: false }) as { scorer?: string };
  const set = useSetSearch();
  const scorer = search.scorer && names.includes(search.scorer) ? search.scorer : (names[0] ?? '');
  const { data, error, refetch } = useQuery({
    ...slicesQuery(project, run.id, scorer),
    enabled: scorer !== '',
  });
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  if (!scorer) return <Empty title="Nothing has been scored yet" />;
  type Slice = NonNullable<typeof data>['items'][number];
  const columns: Column<Slice>[] = [
    {
      id: 'by',
      header: 'By',
      width: 'minmax(90px, 1fr)',
      cell: (slice) => <span className="dim">{slice.by}</span>,
      value: (slice) => slice.by,
    },
    {
      id: 'value',
      header: 'Value',
      width: 'minmax(120px, 2fr)',
      narrow: 'first',
      card: (slice) => (
        <>
          <span className="dim">{slice.by}</span> {slice.value}
        </>
      ),
      cell: (slice) => <b className={classes.name}>{slice.value}</b>,
      value: (slice) => slice.value,
    },
    {
      id: 'measure',
      header: scorer,
      width: '260px',
      narrow: 'second',
      cell: (slice) => <Value measure={slice.measure} />,
      value: (slice) => slice.measure.interval?.estimate ?? null,
    },
    {
      id: 'examples',
      header: 'Examples',
      width: '80px',
      end: true,
      cell: (slice) => <span className="num">{count(slice.examples)}</span>,
      value: (slice) => slice.examples,
    },
  ];
  return (
    <>
      <div className={classes.bar}>
        <NativeSelect
          aria-label="Measure"
          data={[...names]}
          value={scorer}
          onChange={(event) => set({ scorer: event.currentTarget.value })}
        />
        <span className="dim">
          Small slices have wide intervals: look at those before you believe a figure.
        </span>
      </div>
      <DataTable
        label="Slices"
        columns={columns}
        rows={data?.items ?? []}
        id={(slice) => `${slice.by} ${slice.value}`}
        onOpen={(slice) =>
          slice.by === 'tag' ? set({ tab: 'answers', tag: slice.value, scorer }) : undefined
        }
        loading={!data}
        empty={
          <Empty title="There are no slices">
            Slices come from the examples' tags and metadata, and from the length of their input.
          </Empty>
        }
      />
    </>
  );
}
