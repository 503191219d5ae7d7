/** All items of a queue, each as one may see it. */
import { Button, NativeSelect } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import { api, ask } from '../../api/client';
import { useRole } from '../../app/role';
import { useScope, useSetSearch } from '../../app/scope';
import { type Column, DataTable } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { Failure } from '../../parts/Failure';
import { PeekPanel } from '../../parts/PeekPanel';
import { Status, type Tone } from '../../parts/Status';
import { When } from '../../parts/Value';
import { words } from './form';
import { ItemView } from './ItemView';
import { type Item, itemQuery, itemsQuery, type Queue, type State } from './queries';
import classes from './Review.module.css';
import { Said } from './Said';

const TONES: Record<State, Tone> = { open: 'none', disputed: 'warn', done: 'good', dropped: 'none' };
const STATES = ['all', 'open', 'disputed', 'done', 'dropped'] as const;

const columns = (admin: boolean): Column<Item>[] => [
  {
    id: 'number',
    header: '#',
    width: '56px',
    end: true,
    cell: (row) => <span className="num dim">{row.number}</span>,
  },
  {
    id: 'input',
    header: 'Asked',
    width: 'minmax(160px, 2fr)',
    narrow: 'first',
    cell: (row) => <span className="ellipsis">{firstWords(row)}</span>,
  },
  {
    id: 'output',
    header: 'Answer',
    width: 'minmax(120px, 2fr)',
    cell: (row) => <span className="ellipsis dim">{row.outputs.map((each) => each.text).join(' | ')}</span>,
  },
  {
    id: 'own',
    header: 'Yours',
    width: 'minmax(90px, 1fr)',
    cell: (row) =>
      row.own ? (
        <span className="ellipsis">{words(undefined, Object.values(row.own.answers)[0])}</span>
      ) : (
        <span className="dim">–</span>
      ),
  },
  ...(admin
    ? [
        {
          id: 'answered',
          header: 'Reviews',
          width: '80px',
          end: true,
          cell: (row: Item) => (
            <span className="num" title={row.answered.map((each) => each.reviewer_name).join(', ')}>
              {row.answered.length} of {row.wanted}
            </span>
          ),
        },
      ]
    : []),
  {
    id: 'state',
    header: 'State',
    width: '110px',
    narrow: 'second',
    card: (row) => (
      <>
        <Status tone={TONES[row.state]} word={row.state} />
        <span className="num">#{row.number}</span>
      </>
    ),
    cell: (row) => (
      <Status tone={TONES[row.state]} word={row.flags.length > 0 ? `${row.state}, flagged` : row.state} />
    ),
  },
];

export function Items({ queue }: { queue: Queue }) {
  const { project } = useScope();
  const set = useSetSearch();
  const may = useRole();
  const search = useSearch({ strict: false }) as { state?: string; item?: string };
  const state = STATES.find((each) => each === search.state) ?? 'all';
  const pages = useInfiniteQuery(itemsQuery(project, queue.name, state === 'all' ? null : state, false));
  const rows = useMemo(() => pages.data?.pages.flatMap((page) => page.items) ?? [], [pages.data]);
  const admin = may('admin');
  const shape = useMemo(() => columns(admin), [admin]);
  const more = useCallback(() => {
    if (!pages.isFetchingNextPage && pages.hasNextPage) void pages.fetchNextPage();
  }, [pages.isFetchingNextPage, pages.hasNextPage, pages.fetchNextPage]);
  return (
    <div className={classes.items}>
      <div className={classes.status}>
        <NativeSelect
          aria-label="State"
          data={STATES.map((each) => ({ value: each, label: each === 'all' ? 'all items' : each }))}
          value={state}
          onChange={(event) =>
            set({ state: event.currentTarget.value === 'all' ? null : event.currentTarget.value })
          }
        />
      </div>
      {pages.error ? (
        <Failure error={pages.error} retry={() => void pages.refetch()} />
      ) : (
        <DataTable
          label="Items"
          columns={shape}
          rows={rows}
          id={(row) => row.id}
          open={search.item ?? null}
          onOpen={(row) => set({ item: row.id })}
          loading={pages.isPending || pages.isFetchingNextPage}
          more={pages.hasNextPage}
          onMore={more}
          height="min(70dvh, 720px)"
          empty={
            <Empty title="No such items" command={`noria review add ${queue.name} --spans "feedback:down"`}>
              Traces, examples of a dataset and answers of an evaluation can be put into the queue.
            </Empty>
          }
        />
      )}
      {search.item && <Detail queue={queue} id={search.item} onClose={() => set({ item: null })} />}
    </div>
  );
}

function Detail({ queue, id, onClose }: { queue: Queue; id: string; onClose: () => void }) {
  const { project } = useScope();
  const may = useRole();
  const cache = useQueryClient();
  const found = useQuery(itemQuery(project, queue.name, id));
  const drop = useMutation({
    mutationFn: () =>
      ask(
        api.POST('/api/queues/{name}/items/{item}/drop', {
          params: { path: { name: queue.name, item: id }, query: { project } },
        }),
      ),
    onSuccess: () => cache.invalidateQueries({ queryKey: ['queues', project] }),
  });
  const item = found.data;
  return (
    <PeekPanel label={item ? `Item ${item.number}` : 'Item'} onClose={onClose}>
      <div className={classes.detail}>
        {(found.error ?? drop.error) && <Failure error={found.error ?? drop.error} />}
        {item && (
          <>
            <Status tone={TONES[item.state]} word={item.state} />
            <ItemView item={item} />
            {item.state === 'open' && (
              <p className="dim">
                {item.own
                  ? 'You have answered; what others answer is shown when the item is closed.'
                  : 'What others answer is shown when the item is closed.'}
              </p>
            )}
            {item.settled && (
              <section className={classes.said} aria-label="Settled">
                <h3>Settled by {item.settled_by === 'single' ? 'one review' : item.settled_by}</h3>
                <dl className={classes.settled}>
                  {Object.entries(item.settled).map(([name, value]) => (
                    <div key={name}>
                      <dt>{name}</dt>
                      <dd>{words(undefined, value)}</dd>
                    </div>
                  ))}
                </dl>
              </section>
            )}
            <Said queue={queue} item={item} />
            {item.answered.length > 0 && item.state === 'open' && (
              <p className="dim">
                Answered by {item.answered.map((each) => each.reviewer_name).join(', ')}
                {item.held > 0 && `; ${item.held} at it now`}.
              </p>
            )}
            {item.flags.map((flag) => (
              <p key={flag.reviewer} className={classes.flag}>
                <b>{flag.reviewer_name}</b> flagged it <When ms={flag.at_ms} />: {flag.reason}
              </p>
            ))}
            {may('admin') && item.state !== 'dropped' && (
              <Button variant="default" loading={drop.isPending} onClick={() => drop.mutate()}>
                Take item {item.number} out of the queue
              </Button>
            )}
          </>
        )}
      </div>
    </PeekPanel>
  );
}

function firstWords(item: Item): string {
  const messages = item.input.messages;
  if (Array.isArray(messages)) {
    const last = messages[messages.length - 1] as { content?: unknown } | undefined;
    return typeof last?.content === 'string' ? last.content : JSON.stringify(last?.content ?? '');
  }
  const values = Object.values(item.input);
  return values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join(' · ');
}
