import { TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import type { Schemas } from '../../api/client';
import { cardsQuery } from '../../api/queries';
import { useScope, useSetSearch } from '../../app/scope';
import { type Column, DataTable } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { Failure } from '../../parts/Failure';
import { count, parameters } from '../../parts/format';
import { PeekPanel } from '../../parts/PeekPanel';
import { CardView } from './CardView';
import classes from './Models.module.css';
import { perMillion } from './price';

type Card = Schemas['CardBody'];

const COLUMNS: Column<Card>[] = [
  {
    id: 'name',
    header: 'Model',
    width: 'minmax(180px, 2fr)',
    narrow: 'first',
    cell: (row) => <b className={classes.id}>{row.name}</b>,
    value: (row) => row.name,
  },
  {
    id: 'developer',
    header: 'Developer',
    width: 'minmax(90px, 1fr)',
    cell: (row) => row.developer ?? <span className="dim">–</span>,
    value: (row) => row.developer,
  },
  {
    id: 'licence',
    header: 'Licence',
    width: 'minmax(120px, 1.5fr)',
    cell: (row) => (row.licence ? `${row.licence.name}` : <span className="dim">not stated</span>),
    value: (row) => row.licence?.name ?? null,
  },
  {
    id: 'kind',
    header: 'Kind',
    width: '96px',
    narrow: 'second',
    card: (row) => (
      <>
        <span>{row.developer ?? 'developer not stated'}</span>
        <span>{row.licence?.kind ?? 'licence not stated'}</span>
        <span className="num">{parameters(row.parameters)}</span>
        <span className="num">{count(row.context)} context</span>
      </>
    ),
    cell: (row) => row.licence?.kind ?? '–',
    value: (row) => row.licence?.kind ?? null,
  },
  {
    id: 'size',
    header: 'Size',
    width: '72px',
    end: true,
    cell: (row) => <span className="num">{parameters(row.parameters)}</span>,
    value: (row) => row.parameters,
  },
  {
    id: 'context',
    header: 'Context',
    width: '80px',
    end: true,
    cell: (row) => <span className="num">{count(row.context)}</span>,
    value: (row) => row.context,
  },
  {
    id: 'price',
    header: '$ per 1M in → out',
    width: '140px',
    end: true,
    cell: (row) => <span className="num">{perMillion(row.price)}</span>,
    value: (row) => (row.price?.output ? Number(row.price.output) : null),
  },
  {
    id: 'status',
    header: 'Status',
    width: '100px',
    cell: (row) => <span className={row.status === 'active' ? 'dim' : classes.retired}>{row.status}</span>,
    value: (row) => row.status,
  },
];

/** Every card, called here or not; `find` narrows by words of name, family or id. */
export function Cards() {
  const { project } = useScope();
  const search = useSearch({ strict: false }) as { find?: string; model?: string };
  const set = useSetSearch();
  const { data, error, refetch } = useQuery(cardsQuery(project));
  const words = (search.find ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  const rows = (data?.items ?? []).filter((card) => {
    const text = `${card.id} ${card.name} ${card.family ?? ''} ${card.developer ?? ''}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const open = rows.find((card) => card.id === search.model);
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  return (
    <>
      <div className={classes.bar}>
        <TextInput
          aria-label="Find a model"
          placeholder="Name, family or developer"
          w={260}
          value={search.find ?? ''}
          onChange={(event) => set({ find: event.currentTarget.value || null }, { replace: true })}
        />
        <span className="dim">{data && `${count(rows.length)} of ${count(data.items.length)}`}</span>
      </div>
      <DataTable
        label="Cards"
        columns={COLUMNS}
        rows={rows}
        id={(row) => row.id}
        open={search.model ?? null}
        onPeek={(row) => set({ model: row.id }, { replace: search.model !== undefined })}
        loading={!data}
        height="100%"
        empty={<Empty title="No model has these words">Try fewer of them.</Empty>}
      />
      {open && (
        <PeekPanel label={open.name} onClose={() => set({ model: null })}>
          <CardView card={open} />
        </PeekPanel>
      )}
    </>
  );
}
