/** All datasets by name; a file makes a new one. */
import { Button, TextInput } from '@mantine/core';
import { IconUpload } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useRef } from 'react';
import { type Dataset, datasetsQuery } from '../../api/datasets';
import { useRole } from '../../app/role';
import { useScope, useSetSearch } from '../../app/scope';
import { useShortcuts } from '../../app/shortcuts';
import { type Column, DataTable } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { Failure } from '../../parts/Failure';
import { count } from '../../parts/format';
import { Page } from '../../parts/Page';
import { Status } from '../../parts/Status';
import { When } from '../../parts/Value';
import classes from './Datasets.module.css';
import { ImportForm } from './Import';

const COLUMNS: Column<Dataset>[] = [
  {
    id: 'name',
    header: 'Dataset',
    width: 'minmax(140px, 1.2fr)',
    narrow: 'first',
    cell: (one) => <b className={classes.name}>{one.name}</b>,
    value: (one) => one.name,
  },
  {
    id: 'description',
    header: 'What it is',
    width: 'minmax(160px, 3fr)',
    cell: (one) => one.description || <span className="dim">not described</span>,
  },
  {
    id: 'tags',
    header: 'Tags',
    width: 'minmax(80px, 1fr)',
    cell: (one) => <span className="dim">{one.tags.join(', ')}</span>,
  },
  {
    id: 'latest',
    header: 'Versions',
    width: '70px',
    end: true,
    narrow: 'second',
    card: (one) => (
      <>
        <span>{one.latest} versions</span>
        {one.golden > 0 && <Status tone="good" word={`golden ${one.golden}`} />}
      </>
    ),
    cell: (one) => <span className="num">{one.latest}</span>,
    value: (one) => one.latest,
  },
  {
    id: 'golden',
    header: 'Golden',
    width: '110px',
    cell: (one) =>
      one.golden > 0 ? (
        <Status tone="good" word={`version ${one.golden}`} />
      ) : (
        <span className="dim">none</span>
      ),
    value: (one) => one.golden,
  },
  {
    id: 'when',
    header: 'Made',
    width: '80px',
    end: true,
    cell: (one) => <When ms={one.created_ms} />,
    value: (one) => one.created_ms,
  },
];

export function DatasetsPage() {
  const { project } = useScope();
  const search = useSearch({ strict: false }) as { q?: string; import?: string };
  const set = useSetSearch();
  const may = useRole();
  const navigate = useNavigate();
  const filter = useRef<HTMLInputElement>(null);
  useShortcuts([
    { keys: '/', label: 'Find a dataset', group: 'Datasets', run: () => filter.current?.focus() },
  ]);
  const query = useInfiniteQuery(datasetsQuery(project, search.q ?? ''));
  const rows = query.data?.items ?? [];
  return (
    <Page
      title="Datasets"
      full
      note={query.data && `${count(rows.length)}${query.hasNextPage ? '+' : ''}`}
      aside={
        <>
          <TextInput
            ref={filter}
            aria-label="Find a dataset"
            placeholder="Find by name or description"
            w={240}
            defaultValue={search.q ?? ''}
            onChange={(event) => set({ q: event.currentTarget.value || null }, { replace: true })}
            onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
          />
          {may('editor') && (
            <Button leftSection={<IconUpload size={14} />} onClick={() => set({ import: '1' })}>
              Import
            </Button>
          )}
        </>
      }
    >
      {query.error ? (
        <Failure error={query.error} retry={() => void query.refetch()} />
      ) : (
        <DataTable
          label="Datasets"
          columns={COLUMNS}
          rows={rows}
          id={(one) => one.name}
          onOpen={(one) => void navigate({ to: '/datasets/$name', params: { name: one.name } })}
          loading={query.isPending || query.isFetchingNextPage}
          more={query.hasNextPage}
          onMore={() => void query.fetchNextPage()}
          height="100%"
          empty={
            search.q ? (
              <Empty title="No dataset is called that" />
            ) : (
              <Empty title="There is no dataset yet">
                A dataset holds the examples that prompts and models are tried on. Import a file (JSON Lines,
                CSV, Parquet), or save what you see on a trace as an example.
              </Empty>
            )
          }
        />
      )}
      {search.import !== undefined && <ImportForm into={null} onClose={() => set({ import: null })} />}
    </Page>
  );
}
