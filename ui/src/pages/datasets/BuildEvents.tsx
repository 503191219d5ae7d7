/** The examples that a step dropped or changed, for one reason or any, and the way back. */
import { Button, Skeleton } from '@mantine/core';
import { IconArrowBackUp } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type Build, type BuildEvent, buildEventsQuery } from '../../api/datasets';
import { useRole } from '../../app/role';
import { useScope } from '../../app/scope';
import { Diff } from '../../parts/Diff';
import { Failure } from '../../parts/Failure';
import classes from './Datasets.module.css';
import { brief, pretty } from './example';
import { type Taken, Undo } from './Undo';

export function Events({ build, step, reason }: { build: Build; step: number; reason: string }) {
  const { project } = useScope();
  const may = useRole();
  const [taking, setTaking] = useState<Taken | null>(null);
  const query = useInfiniteQuery(buildEventsQuery(project, build.id, step, reason));
  if (query.error) return <Failure error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <Skeleton height={120} mt="md" />;
  const events = query.data.pages.flatMap((page) => page.items);
  const can = may('editor') && build.state === 'done';
  const what = `${build.steps[step]?.type ?? 'this step'}${reason ? `, ${reason}` : ''}`;
  return (
    <div className={classes.events}>
      <header className={classes.eventsHead}>
        <h2>{what}</h2>
        {can && events.some(undoable) && (
          <Button
            variant="default"
            leftSection={<IconArrowBackUp size={14} stroke={1.6} />}
            onClick={() => setTaking({ step, reason, examples: [], what })}
          >
            Take all of these back
          </Button>
        )}
      </header>
      {events.length === 0 && !query.hasNextPage && (
        <p className={classes.words}>This step has dropped and changed nothing.</p>
      )}
      {events.map((event) => (
        <Event
          key={event.place}
          event={event}
          onTake={
            can && undoable(event)
              ? () => setTaking({ step, reason, examples: [event.example], what: event.example })
              : undefined
          }
        />
      ))}
      {taking && <Undo build={build} taken={taking} onClose={() => setTaking(null)} />}
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

/** Notes and what could not be done have nothing to be taken back. */
const undoable = (event: BuildEvent) => event.kind === 'drop' || event.kind === 'edit';

function Event({ event, onTake }: { event: BuildEvent; onTake?: () => void }) {
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
        {onTake && (
          <Button size="compact-xs" variant="subtle" color="gray" className={classes.take} onClick={onTake}>
            Take back
          </Button>
        )}
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
