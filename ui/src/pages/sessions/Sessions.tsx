/** Conversations: the traces that name the same session. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import type { Schemas } from '../../api/client';
import { sessionsQuery } from '../../api/queries';
import { useScope } from '../../app/scope';
import { type Column, DataTable } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { Failure } from '../../parts/Failure';
import { count, duration } from '../../parts/format';
import { Page } from '../../parts/Page';
import { Money, Tokens, When } from '../../parts/Value';

type Session = Schemas['SessionSummary'];

const COLUMNS: Column<Session>[] = [
  {
    id: 'end',
    header: 'Last call',
    width: '90px',
    cell: (row) => <When ms={row.end_ms} />,
    value: (row) => row.end_ms,
  },
  {
    id: 'input',
    header: 'Began with',
    width: 'minmax(200px, 3fr)',
    narrow: 'first',
    cell: (row) => <span className={row.input ? 'ellipsis' : 'ellipsis dim'}>{row.input || row.id}</span>,
  },
  {
    id: 'id',
    header: 'Session',
    width: 'minmax(110px, 1fr)',
    cell: (row) => <span className="mono dim">{row.id}</span>,
  },
  {
    id: 'user',
    header: 'User',
    width: 'minmax(80px, 1fr)',
    cell: (row) => row.user || <span className="dim">–</span>,
  },
  {
    id: 'traces',
    header: 'Traces',
    width: '64px',
    end: true,
    narrow: 'second',
    card: (row) => (
      <>
        <span>{row.user || 'no user'}</span>
        <span className="num">{count(row.traces)} traces</span>
        <When ms={row.end_ms} />
      </>
    ),
    cell: (row) => <span className="num">{count(row.traces)}</span>,
    value: (row) => row.traces,
  },
  {
    id: 'errors',
    header: 'Errors',
    width: '60px',
    end: true,
    cell: (row) => <span className={row.errors ? 'num' : 'num dim'}>{count(row.errors)}</span>,
    value: (row) => row.errors,
  },
  {
    id: 'length',
    header: 'Length',
    width: '88px',
    end: true,
    cell: (row) => <span className="num">{duration(row.end_ms - row.start_ms)}</span>,
    value: (row) => row.end_ms - row.start_ms,
  },
  {
    id: 'tokens',
    header: 'Tokens',
    width: '110px',
    end: true,
    cell: (row) => <Tokens input={row.input_tokens} output={row.output_tokens} />,
  },
  {
    id: 'cost',
    header: 'Cost',
    width: '90px',
    end: true,
    cell: (row) => <Money value={row.cost} unknown={row.unknown_costs} />,
    value: (row) => Number(row.cost),
  },
];

export function SessionsPage() {
  const scope = useScope();
  const navigate = useNavigate();
  const pages = useInfiniteQuery(sessionsQuery(scope));
  const rows = useMemo(() => pages.data?.pages.flatMap((page) => page.items) ?? [], [pages.data]);
  const total = pages.data?.pages[0]?.total;
  const more = useCallback(() => {
    if (!pages.isFetchingNextPage && pages.hasNextPage) void pages.fetchNextPage();
  }, [pages.isFetchingNextPage, pages.hasNextPage, pages.fetchNextPage]);
  return (
    <Page
      title="Sessions"
      note={total === null || total === undefined ? undefined : `${count(total)} in this time`}
      full
    >
      {pages.error ? (
        <Failure error={pages.error} retry={() => void pages.refetch()} />
      ) : (
        <DataTable
          label="Sessions"
          columns={COLUMNS}
          rows={rows}
          id={(row) => row.id}
          onOpen={(row) => void navigate({ to: '/sessions/$id', params: { id: row.id } })}
          loading={pages.isPending || pages.isFetchingNextPage}
          more={pages.hasNextPage}
          onMore={more}
          height="100%"
          empty={
            <Empty
              title="No sessions in this time"
              command={`curl … -H 'x-noria-session: ticket-4711' -H 'x-noria-user: ann'`}
            >
              A session holds the calls of one conversation together. Name it in a header, or in the body's
              noria object.
            </Empty>
          }
        />
      )}
    </Page>
  );
}
