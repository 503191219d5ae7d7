import { Button, Switch } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import type { Schemas } from '../../api/client';
import { keysQuery } from '../../api/queries';
import { useRole } from '../../app/role';
import { useScope, useSetSearch } from '../../app/scope';
import { type Column, DataTable } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { Failure } from '../../parts/Failure';
import { count, duration, money } from '../../parts/format';
import { PeekPanel } from '../../parts/PeekPanel';
import { Status } from '../../parts/Status';
import { When } from '../../parts/Value';
import { KeyDetail } from './KeyDetail';
import { KeyForm } from './KeyForm';
import classes from './Keys.module.css';
import { Secret } from './Secret';

type Key = Schemas['KeyBody'];

export const USED: Record<Key['used'], string> = {
  hour: 'within the hour',
  day: 'within a day',
  week: 'within a week',
  month: 'within a month',
  no: 'not in 30 days',
};

export function limitWords(limit: Schemas['LimitBody']): string {
  const amount =
    limit.unit === 'money' ? money(limit.amount) : `${count(Number(limit.amount))} ${limit.unit}`;
  return `${amount} / ${duration((limit.window_s ?? 60) * 1000).replace(/\u00a0m\u00a00\u00a0s$/, '\u00a0min')}`;
}

export function KeyState({ state }: { state: Key['state'] }) {
  return <Status tone={state === 'active' ? 'good' : state === 'expired' ? 'warn' : 'none'} word={state} />;
}

const COLUMNS: Column<Key>[] = [
  {
    id: 'name',
    header: 'Name',
    width: 'minmax(150px, 1.6fr)',
    narrow: 'first',
    cell: (row) => <b className={classes.name}>{row.name}</b>,
    value: (row) => row.name,
  },
  { id: 'hint', header: 'Token', width: '84px', cell: (row) => <span className="mono dim">{row.hint}</span> },
  {
    id: 'state',
    header: 'State',
    width: '84px',
    narrow: 'second',
    card: (row) => (
      <>
        <KeyState state={row.state} />
        <span>{USED[row.used]}</span>
        <span className="num">{money(row.cost_30d)}</span>
      </>
    ),
    cell: (row) => <KeyState state={row.state} />,
    value: (row) => row.state,
  },
  {
    id: 'who',
    header: 'Team · user',
    width: 'minmax(110px, 1fr)',
    cell: (row) => [row.team, row.user].filter(Boolean).join(' · ') || <span className="dim">–</span>,
    value: (row) => row.team || null,
  },
  {
    id: 'routes',
    header: 'May call',
    width: 'minmax(110px, 1.2fr)',
    cell: (row) =>
      row.routes.length === 0 ? (
        <span className="dim">nothing</span>
      ) : row.routes.includes('*') ? (
        'everything'
      ) : (
        <span className="mono">{row.routes.join(', ')}</span>
      ),
  },
  {
    id: 'limits',
    header: 'Limits',
    width: 'minmax(130px, 1.2fr)',
    cell: (row) =>
      row.limits.length === 0 ? (
        <span className="dim">none</span>
      ) : (
        <span className="num">{row.limits.map(limitWords).join(', ')}</span>
      ),
  },
  {
    id: 'used',
    header: 'Last used',
    width: '116px',
    cell: (row) => <span className={row.used === 'no' ? 'dim' : undefined}>{USED[row.used]}</span>,
    value: (row) => ['hour', 'day', 'week', 'month', 'no'].indexOf(row.used),
  },
  {
    id: 'calls',
    header: 'Calls, 30 d',
    width: '92px',
    end: true,
    cell: (row) => <span className="num">{count(row.calls_30d)}</span>,
    value: (row) => row.calls_30d,
  },
  {
    id: 'cost',
    header: 'Cost, 30 d',
    width: '92px',
    end: true,
    cell: (row) => <span className="num">{money(row.cost_30d)}</span>,
    value: (row) => Number(row.cost_30d),
  },
  {
    id: 'expires',
    header: 'Expires',
    width: '84px',
    end: true,
    cell: (row) =>
      row.expires_ms === null ? <span className="dim">never</span> : <When ms={row.expires_ms} />,
    value: (row) => row.expires_ms,
  },
];

export function KeyTable() {
  const { project } = useScope();
  const search = useSearch({ strict: false }) as { key?: string };
  const set = useSetSearch();
  const may = useRole();
  const [revoked, setRevoked] = useState(false);
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<Schemas['NewKey'] | null>(null);
  const { data, error, refetch } = useQuery(keysQuery(project, revoked));
  const rows = data?.items ?? [];
  const open = rows.find((key) => key.id === search.key);
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  const create = (
    <Button leftSection={<IconPlus size={14} />} onClick={() => setMaking(true)} disabled={!may('admin')}>
      New key
    </Button>
  );
  return (
    <>
      <div className={classes.bar}>
        {create}
        {!may('admin') && <span className="dim">Only administrators make and change keys.</span>}
        <Switch
          ml="auto"
          label="Show revoked"
          checked={revoked}
          onChange={(event) => setRevoked(event.currentTarget.checked)}
        />
      </div>
      <DataTable
        label="Keys"
        columns={COLUMNS}
        rows={rows}
        id={(row) => row.id}
        open={search.key ?? null}
        onPeek={(row) => set({ key: row.id }, { replace: search.key !== undefined })}
        loading={!data}
        height="100%"
        empty={
          <Empty title="No keys yet" command="noria key create my-app" action={create}>
            A key lets an application call the gateway, within the routes, limits and budgets that you choose.
          </Empty>
        }
      />
      {making && (
        <KeyForm
          onClose={() => setMaking(false)}
          onMade={(key) => {
            setMaking(false);
            setMade(key);
          }}
        />
      )}
      {made && <Secret made={made} onClose={() => setMade(null)} />}
      {open && (
        <PeekPanel label={`Key ${open.name}`} onClose={() => set({ key: null })}>
          <KeyDetail key={open.id} value={open} onToken={setMade} />
        </PeekPanel>
      )}
    </>
  );
}
