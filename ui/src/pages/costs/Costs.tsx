/** What calls have cost, by whom or what; sums are exact, and what is unknown says so. */
import { Button, NativeSelect, TextInput } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import type { Schemas } from '../../api/client';
import { costsQuery } from '../../api/queries';
import { useScope, useSetSearch } from '../../app/scope';
import { type Column, DataTable } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { Failure } from '../../parts/Failure';
import { quote } from '../../parts/filter';
import { count, money, percent } from '../../parts/format';
import { Page } from '../../parts/Page';
import { Money } from '../../parts/Value';
import classes from './Costs.module.css';

type Row = Schemas['CostRow'];

const BY = ['model', 'route', 'team', 'user', 'key', 'day'] as const;

/** Groupings that the filter of Traces has as well, so that a row leads to its traces. */
const FILTERS = new Set<string>(['model', 'route', 'team', 'user', 'key']);

export function CostsPage() {
  const scope = useScope();
  const search = useSearch({ strict: false }) as { by?: string };
  const set = useSetSearch();
  const navigate = useNavigate();
  const by = search.by ?? 'model';
  const { data, error, refetch } = useQuery(costsQuery(scope, by));
  const total = data?.total;
  const most = Number(data?.rows[0]?.cost ?? 0) || 1;
  const columns = useMemo(() => make(by, most, Number(total?.cost ?? 0)), [by, most, total?.cost]);
  const csv = `/api/costs?${new URLSearchParams({ ...scope, by, format: 'csv' })}`;
  const filtered = FILTERS.has(by) || by.startsWith('tag:');
  return (
    <Page
      title="Costs"
      note={total && `${money(total.cost)} for ${count(total.calls)} calls`}
      aside={
        <>
          <Tag by={by} onTag={(tag) => set({ by: `tag:${tag}` })} />
          <NativeSelect
            aria-label="By"
            data={[
              ...BY.map((each) => ({ value: each, label: `By ${each}` })),
              ...(by.startsWith('tag:') ? [{ value: by, label: `By ${by}` }] : []),
            ]}
            value={by}
            onChange={(event) =>
              set({ by: event.currentTarget.value === 'model' ? null : event.currentTarget.value })
            }
          />
          <Button
            component="a"
            href={csv}
            download
            variant="default"
            leftSection={<IconDownload size={14} />}
          >
            CSV
          </Button>
        </>
      }
      full
    >
      {total && (total.unknown > 0 || total.unconfirmed > 0 || total.estimated > 0) && (
        <div className={classes.doubt}>
          {total.unknown > 0 && (
            <span>{count(total.unknown)} calls have no price: their cost is not in these sums.</span>
          )}
          {total.estimated > 0 && <span>{count(total.estimated)} calls have estimated tokens.</span>}
          {total.unconfirmed > 0 && (
            <span>{count(total.unconfirmed)} calls ended without a record and were estimated.</span>
          )}
        </div>
      )}
      {error ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : (
        <DataTable
          label="Costs"
          columns={columns}
          rows={data?.rows ?? []}
          id={(row) => row.group}
          onOpen={
            filtered
              ? (row) =>
                  void navigate({
                    to: '/traces',
                    search: { q: `${by.replace(':', '.')}:${quote(row.group)}` } as never,
                  })
              : undefined
          }
          loading={!data}
          height="100%"
          empty={
            <Empty title="No costs in this time">
              Every call through the gateway is priced when it ends. Choose a longer range of time above.
            </Empty>
          }
        />
      )}
    </Page>
  );
}

function Tag({ by, onTag }: { by: string; onTag: (tag: string) => void }) {
  const [text, setText] = useState(by.startsWith('tag:') ? by.slice(4) : '');
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim()) onTag(text.trim());
      }}
    >
      <TextInput
        aria-label="Group by a tag"
        placeholder="or by a tag"
        w={120}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
    </form>
  );
}

function make(by: string, most: number, all: number): Column<Row>[] {
  const figure = (id: string, header: string, read: (row: Row) => number, width = '92px'): Column<Row> => ({
    id,
    header,
    width,
    end: true,
    cell: (row) => <span className={read(row) ? 'num' : 'num dim'}>{count(read(row))}</span>,
    value: read,
  });
  return [
    {
      id: 'group',
      header: by.replace(/^tag:/, 'tag '),
      width: 'minmax(160px, 2fr)',
      narrow: 'first',
      cell: (row) => row.group || <span className="dim">none</span>,
      value: (row) => row.group,
    },
    {
      id: 'bar',
      header: 'Share',
      width: 'minmax(120px, 1.4fr)',
      cell: (row) => (
        <span className={classes.share}>
          <i style={{ width: `${(Number(row.cost) / most) * 100}%` }} />
          <span className="num">{all > 0 ? percent(Number(row.cost) / all) : '–'}</span>
        </span>
      ),
    },
    {
      id: 'cost',
      header: 'Cost',
      width: '108px',
      end: true,
      narrow: 'second',
      card: (row) => (
        <>
          <Money value={row.cost} unknown={row.unknown} />
          <span className="num">{count(row.calls)} calls</span>
          <span className="num">{all > 0 ? percent(Number(row.cost) / all) : ''}</span>
        </>
      ),
      cell: (row) => <Money value={row.cost} unknown={row.unknown} />,
      value: (row) => Number(row.cost),
    },
    figure('calls', 'Calls', (row) => row.calls),
    figure('unknown', 'No price', (row) => row.unknown),
    figure('estimated', 'Estimated', (row) => row.estimated),
    figure('input', 'Tokens in', (row) => row.input_tokens, '100px'),
    figure('cached', 'Cached', (row) => row.cached_tokens),
    figure('output', 'Tokens out', (row) => row.output_tokens, '100px'),
  ];
}
