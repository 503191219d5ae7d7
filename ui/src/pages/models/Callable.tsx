import { Button, Checkbox } from '@mantine/core';
import { IconColumns2 } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { Schemas } from '../../api/client';
import { modelsQuery } from '../../api/queries';
import { useScope, useSetSearch } from '../../app/scope';
import { type Column, DataTable } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { Failure } from '../../parts/Failure';
import { count, duration, parameters } from '../../parts/format';
import { Interval } from '../../parts/Interval';
import { PeekPanel } from '../../parts/PeekPanel';
import { Money } from '../../parts/Value';
import { CardView } from './CardView';
import { Compare } from './Compare';
import classes from './Models.module.css';
import { perMillion } from './price';

type Model = Schemas['ModelBody'];

/** More cannot be read beside one another. */
const MOST = 4;

/** Stated columns first, then the measured ones, on a ground of their own. */
export function Callable() {
  const scope = useScope();
  // What is measured is worth little over an hour: a week unless the page's range says otherwise.
  const asked = { ...scope, from: scope.from === '-1h' ? '-7d' : scope.from };
  const search = useSearch({ strict: false }) as { compare?: string; model?: string };
  const set = useSetSearch();
  const { data, error, refetch } = useQuery(modelsQuery(asked));
  const chosen = useMemo(() => search.compare?.split(',').filter(Boolean) ?? [], [search.compare]);
  const columns = useMemo(
    () =>
      make(chosen, (id) => {
        const next = chosen.includes(id)
          ? chosen.filter((each) => each !== id)
          : [...chosen, id].slice(-MOST);
        set({ compare: next.join(',') || null }, { replace: true });
      }),
    [chosen, set],
  );
  const rows = data?.items ?? [];
  const open = rows.find((model) => model.id === search.model);
  const compared = rows.filter((model) => chosen.includes(model.id));
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  return (
    <>
      <div className={classes.bar}>
        <span className="dim">
          {data ? `${count(rows.length)} models can be called` : ''}
          {data &&
            (asked.from === '-7d' ? '; measured over the last 7 days' : '; measured over the chosen time')}
        </span>
        {chosen.length > 1 && (
          <Button
            component={Link}
            to="/playground"
            search={{ models: chosen.join(',') } as never}
            variant="default"
            leftSection={<IconColumns2 size={14} stroke={1.6} />}
            onClick={() => sessionStorage.removeItem('noria-playground')}
          >
            Try side by side
          </Button>
        )}
      </div>
      {compared.length > 1 && <Compare models={compared} onClose={() => set({ compare: null })} />}
      <DataTable
        label="Models"
        columns={columns}
        rows={rows}
        id={(row) => row.id}
        open={search.model ?? null}
        onPeek={(row) => set({ model: row.id }, { replace: search.model !== undefined })}
        loading={!data}
        height="100%"
        empty={
          <Empty title="No model can be called yet" command="noria init && noria up">
            Models come from the providers in noria.toml, or from weights on this machine.
          </Empty>
        }
      />
      {open && (
        <PeekPanel label={open.id} onClose={() => set({ model: null })}>
          <CardView card={open.card} model={open} />
        </PeekPanel>
      )}
    </>
  );
}

function make(chosen: readonly string[], onChoose: (id: string) => void): Column<Model>[] {
  const measured = (
    id: string,
    header: string,
    width: string,
    cell: Column<Model>['cell'],
    value: Column<Model>['value'],
  ): Column<Model> => ({
    id,
    header,
    width,
    end: true,
    cell,
    value,
  });
  return [
    {
      id: 'compare',
      header: '',
      width: '20px',
      cell: (row) => (
        <Checkbox
          aria-label={`Compare ${row.id}`}
          checked={chosen.includes(row.id)}
          onClick={(event) => event.stopPropagation()}
          onChange={() => onChoose(row.id)}
        />
      ),
    },
    {
      id: 'model',
      header: 'Model',
      width: 'minmax(150px, 2fr)',
      narrow: 'first',
      cell: (row) => (
        <>
          <b className={classes.id}>{row.id}</b>
          {row.card.status !== 'active' && <span className={classes.retired}> {row.card.status}</span>}
        </>
      ),
      value: (row) => row.id,
    },
    {
      id: 'licence',
      header: 'Licence',
      width: 'minmax(80px, 1fr)',
      cell: (row) => row.card.licence?.name ?? <span className="dim">not stated</span>,
      value: (row) => row.card.licence?.name ?? null,
    },
    {
      id: 'size',
      header: 'Size',
      width: '64px',
      end: true,
      cell: (row) => <span className="num">{parameters(row.card.parameters)}</span>,
      value: (row) => row.card.parameters,
    },
    {
      id: 'context',
      header: 'Context',
      width: '70px',
      end: true,
      cell: (row) => <span className="num">{count(row.card.context)}</span>,
      value: (row) => row.card.context,
    },
    {
      id: 'price',
      header: '$/1M in → out',
      width: '118px',
      end: true,
      narrow: 'second',
      card: (row) => (
        <>
          <span className="num">
            {perMillion(row.price) === 'unknown' ? 'price unknown' : `$ ${perMillion(row.price)}`}
          </span>
          <span className="num">{count(row.measured.calls)} calls</span>
          <span className="num">p50 {duration(row.measured.p50_ms)}</span>
        </>
      ),
      cell: (row) => <span className="num">{perMillion(row.price)}</span>,
      value: (row) => (row.price?.output ? Number(row.price.output) : null),
    },
    measured(
      'calls',
      'Calls',
      '52px',
      (row) => <span className={row.measured.calls ? 'num' : 'num dim'}>{count(row.measured.calls)}</span>,
      (row) => row.measured.calls,
    ),
    measured(
      'errors',
      'Errors',
      '146px',
      (row) => <Interval hits={row.measured.errors} of={row.measured.calls} noun="calls" terse />,
      (row) => (row.measured.calls ? row.measured.errors / row.measured.calls : null),
    ),
    measured(
      'p50',
      'p50',
      '60px',
      (row) => <span className="num">{duration(row.measured.p50_ms)}</span>,
      (row) => row.measured.p50_ms,
    ),
    measured(
      'p95',
      'p95',
      '60px',
      (row) => <span className="num">{duration(row.measured.p95_ms)}</span>,
      (row) => row.measured.p95_ms,
    ),
    measured(
      'first',
      'First token',
      '72px',
      (row) => <span className="num">{duration(row.measured.first_token_p50_ms)}</span>,
      (row) => row.measured.first_token_p50_ms,
    ),
    measured(
      'speed',
      'Tokens/s',
      '72px',
      (row) => <span className="num">{count(row.measured.tokens_per_s)}</span>,
      (row) => row.measured.tokens_per_s,
    ),
    measured(
      'cost',
      'Spent',
      '84px',
      (row) =>
        row.measured.calls === 0 ? (
          <span className="dim">–</span>
        ) : (
          <Money value={row.measured.cost} unknown={row.measured.unknown_cost} />
        ),
      (row) => Number(row.measured.cost),
    ),
  ];
}
