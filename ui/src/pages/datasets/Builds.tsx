/** How curation made this dataset: steps with what each dropped and changed, by reason, and the examples behind. */
import { Button, Skeleton } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { type Build, type BuildEvent, buildEventsQuery, buildsQuery } from '../../api/datasets';
import { useScope, useSetSearch } from '../../app/scope';
import { Diff } from '../../parts/Diff';
import { Empty } from '../../parts/Empty';
import { Failure } from '../../parts/Failure';
import { count } from '../../parts/format';
import { Progress } from '../../parts/Progress';
import { Status } from '../../parts/Status';
import { Id, When } from '../../parts/Value';
import classes from './Datasets.module.css';
import { brief, pretty } from './example';

const TONES = { done: 'good', failed: 'bad', cancelled: 'warn', queued: 'none', running: 'none' } as const;

export function Builds({ name }: { name: string }) {
  const { project } = useScope();
  const { data, error, refetch } = useQuery(buildsQuery(project, name));
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton height={160} m="lg" />;
  if (data.items.length === 0) {
    return (
      <Empty title="No build has made this dataset" command={`noria dataset build ${name}`}>
        A build runs the curation steps of [datasets.{name}.build] in noria.toml: encoding, language,
        duplicates, quality, personal data. What it drops or changes is kept here with its reason.
      </Empty>
    );
  }
  return data.items.map((build) => <One key={build.id} build={build} />);
}

function One({ build }: { build: Build }) {
  const search = useSearch({ strict: false }) as { build?: string; step?: string; reason?: string };
  const set = useSetSearch();
  const open = search.build === build.id;
  const most = Math.max(1, ...build.steps.flatMap((step) => Object.values(step.reasons ?? {})));
  return (
    <section className={classes.build} aria-label={`Build ${build.id}`}>
      <header>
        <Status tone={TONES[build.state]} word={build.state} />
        <Id value={build.id} short={16} />
        <span className="dim">
          from {build.source}, by {build.by}, <When ms={build.created_ms} />
        </span>
        {build.given !== null && build.left !== null && (
          <span className="num">
            {count(build.given)} → {count(build.left)} examples
            {build.version !== null && ` · version ${build.version}`}
          </span>
        )}
      </header>
      {(build.state === 'running' || build.state === 'queued') && (
        <Progress
          label="Examples"
          done={build.done}
          total={build.total}
          since={build.created_ms}
          unit="examples"
          words={build.message}
        />
      )}
      {build.state === 'failed' && <p className={classes.wrong}>{build.message}</p>}
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col" data-end>
              Seen
            </th>
            <th scope="col" data-end>
              Changed
            </th>
            <th scope="col" data-end>
              Dropped
            </th>
            <th scope="col">By reason</th>
          </tr>
        </thead>
        <tbody>
          {build.steps.map((step, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a step may stand twice; its place tells it apart
            <tr key={place}>
              <th scope="row">{step.type}</th>
              <td data-end className="num">
                {count(step.seen)}
              </td>
              <td data-end className="num">
                {count(step.changed)}
              </td>
              <td data-end className="num">
                {count(step.dropped)}
              </td>
              <td>
                <span className={classes.reasons}>
                  {Object.entries(step.reasons ?? {})
                    .sort(([, a], [, b]) => b - a)
                    .map(([reason, times]) => (
                      <button
                        key={reason}
                        type="button"
                        className={classes.reason}
                        aria-pressed={open && search.step === String(place) && search.reason === reason}
                        onClick={() => set({ build: build.id, step: String(place), reason })}
                      >
                        <i style={{ width: `${(times / most) * 60}px` }} />
                        {reason} <span className="num dim">{count(times)}</span>
                      </button>
                    ))}
                  {(step.unable ?? 0) > 0 && (
                    <span className="dim">{count(step.unable)} could not be done</span>
                  )}
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {open && search.step !== undefined && (
        <Events build={build.id} step={Number(search.step)} reason={search.reason ?? ''} />
      )}
    </section>
  );
}

function Events({ build, step, reason }: { build: string; step: number; reason: string }) {
  const { project } = useScope();
  const query = useInfiniteQuery(buildEventsQuery(project, build, step, reason));
  if (query.error) return <Failure error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <Skeleton height={120} mt="md" />;
  const events = query.data.pages.flatMap((page) => page.items);
  return (
    <div className={classes.events}>
      {events.map((event) => (
        <Event key={event.place} event={event} />
      ))}
      {query.hasNextPage && (
        <Button
          variant="default"
          loading={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          More
        </Button>
      )}
    </div>
  );
}

function Event({ event }: { event: BuildEvent }) {
  const dropped = event.dropped as { input?: Record<string, unknown> } | null;
  return (
    <article className={classes.change} data-kind={event.kind === 'drop' ? 'delete' : 'patch'}>
      <header>
        <b>{event.kind}</b>
        <span className="mono">{event.example}</span>
        <span className="dim">
          {Object.entries(event.details)
            .map(([key, value]) => `${key} ${brief(value)}`)
            .join(' · ')}
        </span>
      </header>
      {dropped && <pre className={classes.text}>{pretty(dropped.input ?? dropped).slice(0, 1500)}</pre>}
      {event.changes.map((change) => (
        <div key={change.field} className={classes.changed}>
          <span className="mono dim">{change.field}</span>
          <Diff before={pretty(change.before ?? '')} after={pretty(change.after ?? '')} />
        </div>
      ))}
    </article>
  );
}
