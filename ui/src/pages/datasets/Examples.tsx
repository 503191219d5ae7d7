/** A version's examples: virtual rows, a text or tag to find them by, one at a time beside the list. */
import { NativeSelect, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { useMemo, useRef } from 'react';
import { type DatasetVersion, type Example, examplesQuery } from '../../api/datasets';
import { useScope, useSetSearch } from '../../app/scope';
import { useShortcuts } from '../../app/shortcuts';
import { type Column, DataTable } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { Failure } from '../../parts/Failure';
import { count } from '../../parts/format';
import { PeekPanel } from '../../parts/PeekPanel';
import classes from './Datasets.module.css';
import { ExampleView } from './ExampleView';
import { brief, fieldsOf } from './example';

export function Examples({ name, version }: { name: string; version: DatasetVersion | null }) {
  const { project } = useScope();
  const search = useSearch({ strict: false }) as {
    q?: string;
    tag?: string;
    split?: string;
    example?: string;
  };
  const set = useSetSearch();
  const filter = useRef<HTMLInputElement>(null);
  useShortcuts([
    { keys: '/', label: 'Find in the examples', group: 'Examples', run: () => filter.current?.focus() },
  ]);
  const find = useDebouncedCallback(
    (q: string) => set({ q: q || null, example: null }, { replace: true }),
    250,
  );
  const number = version ? String(version.number) : '';
  const query = useInfiniteQuery({
    ...examplesQuery(project, name, {
      version: number,
      split: search.split ?? '',
      q: search.q ?? '',
      tag: search.tag ?? '',
    }),
    enabled: version !== null,
  });
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const fields = fieldsOf(rows.slice(0, 50)).join('\n');
  const columns = useMemo(() => make(fields ? fields.split('\n') : []), [fields]);
  const last = query.data?.pages.at(-1);
  const total = query.data?.pages[0]?.total;
  if (query.error) return <Failure error={query.error} retry={() => void query.refetch()} />;
  if (!version) {
    return (
      <Empty title="There is no version yet" command={`noria dataset import ${name} FILE`}>
        Examples come from a file, from traces, or one by one.
      </Empty>
    );
  }
  return (
    <>
      <div className={classes.bar}>
        <TextInput
          ref={filter}
          aria-label="Find in the examples"
          placeholder="A text in the example"
          w={220}
          defaultValue={search.q ?? ''}
          onChange={(event) => find(event.currentTarget.value)}
          onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
        />
        <TextInput
          aria-label="Tag"
          placeholder="Tag"
          w={110}
          key={search.tag ?? ''}
          defaultValue={search.tag ?? ''}
          onKeyDown={(event) =>
            event.key === 'Enter' && set({ tag: event.currentTarget.value.trim() || null, example: null })
          }
          onBlur={(event) => {
            const tag = event.currentTarget.value.trim();
            if (tag !== (search.tag ?? '')) set({ tag: tag || null, example: null });
          }}
        />
        {Object.keys(version.splits).length > 0 && (
          <NativeSelect
            aria-label="Split"
            data={[
              { value: '', label: 'All splits' },
              ...Object.entries(version.splits).map(([split, size]) => ({
                value: split,
                label: `${split}, ${count(size)}`,
              })),
            ]}
            value={search.split ?? ''}
            onChange={(event) => set({ split: event.currentTarget.value || null, example: null })}
          />
        )}
        <span className="num dim">
          {query.data &&
            (total === null || total === undefined
              ? `${count(rows.length)}${query.hasNextPage ? ' so far' : ' match'}`
              : `${count(total)} examples`)}
          {last && !last.complete && '; the search goes on as you scroll'}
        </span>
      </div>
      <DataTable
        label="Examples"
        columns={columns}
        rows={rows}
        id={(row) => row.id}
        open={search.example ?? null}
        onPeek={(row) => set({ example: row.id }, { replace: search.example !== undefined })}
        loading={query.isPending || query.isFetchingNextPage}
        more={query.hasNextPage}
        onMore={() => void query.fetchNextPage()}
        height="100%"
        empty={
          query.hasNextPage ? undefined : (
            <Empty title="No example is like that">Look for another text, or in another split.</Empty>
          )
        }
      />
      {search.example && (
        <PeekPanel label={`Example ${search.example}`} onClose={() => set({ example: null })}>
          <ExampleView key={`${search.example} ${number}`} name={name} id={search.example} version={number} />
        </PeekPanel>
      )}
    </>
  );
}

function make(fields: readonly string[]): Column<Example>[] {
  return [
    {
      id: 'id',
      header: 'Id',
      width: 'minmax(80px, 0.8fr)',
      cell: (row) => <span className="mono">{row.id}</span>,
    },
    ...fields.slice(0, 4).map(
      (field, index): Column<Example> => ({
        id: `input ${field}`,
        header: field,
        width: 'minmax(140px, 2fr)',
        ...(index === 0 ? { narrow: 'first' as const } : {}),
        cell: (row) => brief(row.input[field]),
      }),
    ),
    {
      id: 'expected',
      header: 'Expected',
      width: 'minmax(90px, 1fr)',
      narrow: 'second',
      cell: (row) => brief(row.expected) || <span className="dim">–</span>,
    },
    {
      id: 'metadata',
      header: 'Metadata',
      width: 'minmax(90px, 1fr)',
      cell: (row) => (
        <span className="dim">
          {Object.entries(row.metadata)
            .map(([key, value]) => `${key} ${brief(value)}`)
            .join(' · ')}
        </span>
      ),
    },
    {
      id: 'tags',
      header: 'Tags',
      width: 'minmax(70px, 0.7fr)',
      cell: (row) => <span className="dim">{row.tags.join(', ')}</span>,
    },
  ];
}
