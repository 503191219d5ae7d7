/** Queues of work for people: what waits for you, and how far each is. */
import { Button } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useRole } from '../../app/role';
import { useScope } from '../../app/scope';
import { type Column, DataTable } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { Failure } from '../../parts/Failure';
import { count } from '../../parts/format';
import { Page } from '../../parts/Page';
import { Status } from '../../parts/Status';
import { Done } from './Done';
import { NewQueue } from './NewQueue';
import { type Queue, queuesQuery } from './queries';

const COLUMNS: Column<Queue>[] = [
  {
    id: 'name',
    header: 'Queue',
    width: 'minmax(150px, 1.5fr)',
    narrow: 'first',
    cell: (row) => <b className="ellipsis">{row.name}</b>,
    value: (row) => row.name,
  },
  {
    id: 'description',
    header: 'About',
    width: 'minmax(120px, 2fr)',
    cell: (row) => <span className="ellipsis dim">{row.description || '–'}</span>,
  },
  {
    id: 'left',
    header: 'For you',
    width: '90px',
    end: true,
    narrow: 'second',
    card: (row) => (
      <>
        <span>{row.closed ? 'closed' : `${count(row.left)} for you`}</span>
        {row.to_decide > 0 && <span>{count(row.to_decide)} to decide</span>}
        <span className="num">
          {count(row.progress.done)} of {count(row.progress.items - row.progress.dropped)} done
        </span>
      </>
    ),
    cell: (row) => <span className={row.left ? 'num' : 'num dim'}>{count(row.left)}</span>,
    value: (row) => row.left,
  },
  {
    id: 'decide',
    header: 'To decide',
    width: '90px',
    end: true,
    cell: (row) => <span className={row.to_decide ? 'num' : 'num dim'}>{count(row.to_decide)}</span>,
    value: (row) => row.to_decide,
  },
  {
    id: 'done',
    header: 'Done',
    width: 'minmax(160px, 1fr)',
    cell: (row) => <Done progress={row.progress} />,
    value: (row) => row.progress.done / Math.max(1, row.progress.items),
  },
  {
    id: 'reviews',
    header: 'Reviews each',
    width: '100px',
    end: true,
    cell: (row) => <span className="num">{row.reviews}</span>,
    value: (row) => row.reviews,
  },
  {
    id: 'state',
    header: 'State',
    width: '90px',
    cell: (row) => <Status tone={row.closed ? 'none' : 'good'} word={row.closed ? 'closed' : 'open'} />,
  },
];

export function ReviewPage() {
  const { project } = useScope();
  const may = useRole();
  const navigate = useNavigate();
  const queues = useQuery(queuesQuery(project));
  const [making, setMaking] = useState(false);
  const rows = queues.data?.items ?? [];
  const open = (name: string) => void navigate({ to: '/review/$name', params: { name } });
  return (
    <Page
      title="Review"
      note={queues.data ? `${count(rows.length)} ${rows.length === 1 ? 'queue' : 'queues'}` : undefined}
      aside={
        may('admin') && (
          <Button leftSection={<IconPlus size={14} />} onClick={() => setMaking(true)}>
            New queue
          </Button>
        )
      }
      full
    >
      {queues.error ? (
        <Failure error={queues.error} retry={() => void queues.refetch()} />
      ) : (
        <DataTable
          label="Queues"
          columns={COLUMNS}
          rows={rows}
          id={(row) => row.name}
          onOpen={(row) => open(row.name)}
          loading={queues.isPending}
          height="100%"
          empty={
            <Empty title="No queues yet" command={`noria review create queue.toml`}>
              A queue asks people about recorded answers: labels, scores, corrections, which of two is better.
              Several review each item without seeing one another, and their agreement is measured.
            </Empty>
          }
        />
      )}
      {making && <NewQueue onClose={() => setMaking(false)} onMade={open} />}
    </Page>
  );
}
