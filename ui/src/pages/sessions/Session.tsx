/** One session: its traces, oldest first, as one conversation. */
import { Skeleton } from '@mantine/core';
import { IconArrowLeft } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { sessionDetailQuery } from '../../api/queries';
import { type RootSearch, useScope, useSetSearch } from '../../app/scope';
import { DataTable } from '../../parts/DataTable';
import { Failure } from '../../parts/Failure';
import { count, duration } from '../../parts/format';
import { Page } from '../../parts/Page';
import { Id, Money } from '../../parts/Value';
import { PeekTrace } from '../trace/PeekTrace';
import { columns } from '../traces/columns';
import classes from './Session.module.css';

export function SessionPage() {
  const { id } = useParams({ from: '/shell/sessions/$id' });
  const { peek } = useSearch({ strict: false }) as RootSearch;
  const { project } = useScope();
  const set = useSetSearch();
  const navigate = useNavigate();
  const { data, error, refetch } = useQuery(sessionDetailQuery(project, id));
  const longest = Math.max(1, ...(data?.traces.map((trace) => trace.duration_ms) ?? []));
  const drawn = useMemo(() => columns(longest), [longest]);
  if (error) return <Failure error={error} retry={() => void refetch()} whole />;
  const summary = data?.summary;
  return (
    <Page
      title="Session"
      aside={<Id value={id} />}
      back={
        <Link to="/sessions">
          <IconArrowLeft size={14} /> Sessions
        </Link>
      }
      full
    >
      {summary ? (
        <div className={classes.facts}>
          {summary.user && <span>user {summary.user}</span>}
          <span className="num">{count(summary.traces)} traces</span>
          <span className="num">{count(summary.errors)} failed</span>
          <span className="num">{duration(summary.end_ms - summary.start_ms)}</span>
          <span>
            <Money value={summary.cost} unknown={summary.unknown_costs} />
          </span>
        </div>
      ) : (
        <Skeleton height={20} width={320} mx={16} />
      )}
      <div className={classes.list}>
        <DataTable
          label="Traces"
          columns={drawn}
          rows={data?.traces ?? []}
          id={(row) => row.id}
          open={peek ?? null}
          onOpen={(row) => void navigate({ to: '/traces/$id', params: { id: row.id } })}
          onPeek={(row) => set({ peek: row.id, span: null }, { replace: peek !== undefined })}
          loading={!data}
          height="100%"
        />
      </div>
      <PeekTrace />
    </Page>
  );
}
