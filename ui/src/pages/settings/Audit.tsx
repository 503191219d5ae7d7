/** Who did what: append-only, each event's hash following from the one before. */
import { Button, NativeSelect } from '@mantine/core';
import { IconLink } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useCallback, useMemo, useState } from 'react';
import type { Schemas } from '../../api/client';
import { auditQuery, chainQuery } from '../../api/queries';
import { type Column, DataTable } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { Failure } from '../../parts/Failure';
import { count, exact } from '../../parts/format';
import { LazyCode } from '../../parts/LazyCode';
import { PeekPanel } from '../../parts/PeekPanel';
import { Status } from '../../parts/Status';
import { Id, When } from '../../parts/Value';
import { Facts } from '../trace/Facts';
import classes from './Settings.module.css';

type Event = Schemas['AuditEventBody'];

const ACTS = ['', 'config.', 'key.', 'budget.', 'account.', 'session.', 'approval.', 'weights.', 'data.'];

const COLUMNS: Column<Event>[] = [
  {
    id: 'number',
    header: '#',
    width: '56px',
    end: true,
    cell: (row) => <span className="num dim">{row.number}</span>,
  },
  { id: 'at', header: 'When', width: '84px', cell: (row) => <When ms={row.at_ms} /> },
  {
    id: 'act',
    header: 'Act',
    width: '150px',
    narrow: 'first',
    cell: (row) => <span className="mono">{row.act}</span>,
  },
  {
    id: 'actor',
    header: 'By',
    width: 'minmax(120px, 1fr)',
    narrow: 'second',
    card: (row) => (
      <>
        <span>{row.actor_name || row.actor}</span>
        <span className="ellipsis">{row.subject}</span>
        <When ms={row.at_ms} />
      </>
    ),
    cell: (row) => row.actor_name || row.actor,
  },
  { id: 'subject', header: 'On', width: 'minmax(160px, 2fr)', cell: (row) => row.subject },
  {
    id: 'project',
    header: 'Project',
    width: '110px',
    cell: (row) => <span className="dim">{row.project || '–'}</span>,
  },
  { id: 'hash', header: 'Hash', width: '110px', cell: (row) => <Id value={row.hash} short={10} /> },
];

export function Audit() {
  const [act, setAct] = useState('');
  const [open, setOpen] = useState<string | null>(null);
  const pages = useInfiniteQuery({ ...auditQuery(act), retry: false });
  const chain = useQuery({ ...chainQuery, enabled: false });
  const rows = useMemo(() => pages.data?.pages.flatMap((page) => page.items) ?? [], [pages.data]);
  const chosen = rows.find((event) => event.id === open);
  const more = useCallback(() => {
    if (!pages.isFetchingNextPage && pages.hasNextPage) void pages.fetchNextPage();
  }, [pages.isFetchingNextPage, pages.hasNextPage, pages.fetchNextPage]);
  if (pages.error) return <Failure error={pages.error} retry={() => void pages.refetch()} />;
  return (
    <>
      <div className={classes.bar}>
        <NativeSelect
          aria-label="Acts"
          data={ACTS.map((each) => ({ value: each, label: each ? `${each}*` : 'All acts' }))}
          value={act}
          onChange={(event) => setAct(event.currentTarget.value)}
        />
        <Button
          variant="default"
          leftSection={<IconLink size={14} stroke={1.6} />}
          loading={chain.isFetching}
          onClick={() => void chain.refetch()}
        >
          Verify the chain
        </Button>
        {chain.error && <Status tone="bad" word={chain.error.message} />}
        {chain.data &&
          (chain.data.whole ? (
            <Status tone="good" word={`${count(chain.data.events)} events, whole`} />
          ) : (
            <Status tone="bad" word={`broken at event ${chain.data.broken_at}`} />
          ))}
        {chain.data && <Id value={chain.data.head} short={16} />}
      </div>
      <DataTable
        label="Audit"
        columns={COLUMNS}
        rows={rows}
        id={(row) => row.id}
        open={open}
        onPeek={(row) => setOpen(row.id)}
        loading={pages.isPending || pages.isFetchingNextPage}
        more={pages.hasNextPage}
        onMore={more}
        height="100%"
        empty={<Empty title="No events">Every apply, key, budget, role and approval writes one here.</Empty>}
      />
      {chosen && (
        <PeekPanel label={`Event ${chosen.number}`} onClose={() => setOpen(null)}>
          <div className={classes.event}>
            <h2>
              {chosen.act} <span className="dim num">#{chosen.number}</span>
            </h2>
            <Facts
              facts={[
                ['When', exact(chosen.at_ms)],
                ['By', `${chosen.actor_name} (${chosen.actor})`],
                ['On', chosen.subject],
                ['Project', chosen.project || null],
                ['Hash', <Id key="hash" value={chosen.hash} />],
                ['Hash before', <Id key="before" value={chosen.previous} />],
              ]}
            />
            <h3>Details</h3>
            <LazyCode value={JSON.stringify(chosen.details, null, 2)} label="Details" />
          </div>
        </PeekPanel>
      )}
    </>
  );
}
