/** What one version has that another has not: examples that came, went and changed, field by field. */
import { Button, NativeSelect, Skeleton } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { type Change, datasetDiffQuery } from '../../api/datasets';
import { useScope, useSetSearch } from '../../app/scope';
import { Diff } from '../../parts/Diff';
import { Empty } from '../../parts/Empty';
import { Failure } from '../../parts/Failure';
import { count } from '../../parts/format';
import classes from './Datasets.module.css';
import { brief, pretty } from './example';

const SIGNS = { create: ['+', 'new'], patch: ['~', 'changed'], delete: ['−', 'taken out'] } as const;

export function DatasetDiff({ name, latest }: { name: string; latest: number }) {
  const { project } = useScope();
  const search = useSearch({ strict: false }) as { older?: string; newer?: string };
  const set = useSetSearch();
  const within = (text: string | undefined) => (text && /^\d{1,9}$/.test(text) ? Number(text) : null);
  const to = Math.min(latest, within(search.newer) ?? latest);
  const from = within(search.older) ?? Math.max(0, to - 1);
  const query = useInfiniteQuery({ ...datasetDiffQuery(project, name, from, to), enabled: to > 0 });
  const changes = query.data?.pages.flatMap((page) => page.items) ?? [];
  const counts = query.data?.pages[0]?.counts;
  const numbers = Array.from({ length: latest }, (_, index) => latest - index);
  if (latest === 0) return <Empty title="There is no version yet" />;
  return (
    <>
      <div className={classes.bar}>
        <NativeSelect
          aria-label="From version"
          data={[
            ...numbers.map((each) => ({ value: String(each), label: `Version ${each}` })),
            { value: '0', label: 'Nothing' },
          ]}
          value={String(from)}
          onChange={(event) => set({ older: event.currentTarget.value, newer: String(to) })}
        />
        <span className="dim">to</span>
        <NativeSelect
          aria-label="To version"
          data={numbers.map((each) => ({ value: String(each), label: `Version ${each}` }))}
          value={String(to)}
          onChange={(event) => set({ older: String(from), newer: event.currentTarget.value })}
        />
        <span className="num dim">
          {counts &&
            (['create', 'patch', 'delete'] as const)
              .map((kind) => `${SIGNS[kind][0]} ${count(counts[kind] ?? 0)} ${SIGNS[kind][1]}`)
              .join(' · ')}
        </span>
      </div>
      {query.error ? (
        <Failure error={query.error} retry={() => void query.refetch()} />
      ) : query.isPending ? (
        <Skeleton height={200} m="lg" />
      ) : (
        <div
          className={classes.changes}
          role="region"
          aria-label="Differences"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
          tabIndex={0}
        >
          {changes.length === 0 && <Empty title="No example differs" />}
          {changes.map((change) => (
            <One key={change.example} change={change} />
          ))}
          {query.hasNextPage && (
            <Button
              variant="default"
              m="md"
              loading={query.isFetchingNextPage}
              onClick={() => void query.fetchNextPage()}
            >
              More
            </Button>
          )}
        </div>
      )}
    </>
  );
}

function One({ change }: { change: Change }) {
  const [sign, word] = SIGNS[change.kind];
  const whole = change.after ?? change.before;
  return (
    <article className={classes.change} data-kind={change.kind}>
      <header>
        <span role="img" aria-label={word} className={classes.sign}>
          {sign}
        </span>
        <b className="mono">{change.example}</b>
        {whole && <span className="dim ellipsis">{brief(Object.values(whole.input)[0])}</span>}
      </header>
      {change.fields.map((field) => (
        <div key={field.path} className={classes.changed}>
          <span className="mono dim">{field.path}</span>
          <Diff before={pretty(field.before ?? '')} after={pretty(field.after ?? '')} />
        </div>
      ))}
    </article>
  );
}
