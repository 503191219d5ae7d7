import { Skeleton, UnstyledButton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Schemas } from '../../api/client';
import { healthQuery } from '../../api/queries';
import { useSetSearch } from '../../app/scope';
import { duration } from '../../parts/format';
import { Status, TraceStatus } from '../../parts/Status';
import { When } from '../../parts/Value';
import classes from './Pulse.module.css';
import { Said } from './Said';

/** Where a change can be looked at. */
const behind = (mark: Schemas['Pulse']['marks'][number]) =>
  mark.kind === 'label'
    ? {
        to: '/prompts/$name' as const,
        params: { name: mark.ref } as never,
        search: { tab: 'board' } as never,
      }
    : { to: '/settings' as const, search: { tab: 'config' } as never };

/** What needs attention, what changed, what people say, and the slowest five traces. */
export function Aside({ pulse }: { pulse: Schemas['Pulse'] | undefined }) {
  const set = useSetSearch();
  const { data: health } = useQuery({ ...healthQuery, refetchInterval: 15_000 });
  const slowest = pulse?.slowest.slice(0, 5) ?? [];
  const longest = Math.max(1, ...slowest.map((trace) => trace.duration_ms));
  return (
    <aside className={classes.aside} aria-label="Now">
      {health && (
        <section>
          <h2>Health</h2>
          {health.problems.length === 0 ? (
            <div className={classes.line}>
              <Status tone="good" word="All processes run" />
            </div>
          ) : (
            health.problems.map((problem) => (
              <div key={problem} className={classes.problem}>
                <Status tone="warn" word="" />
                {problem}
              </div>
            ))
          )}
        </section>
      )}
      <section>
        <h2>What changed</h2>
        {pulse && pulse.marks.length === 0 && <div className={classes.quiet}>Nothing in this time.</div>}
        {pulse?.marks
          .slice(-6)
          .reverse()
          .map((mark) => (
            <Link
              key={`${mark.at_ms} ${mark.label}`}
              {...behind(mark)}
              className={classes.line}
              title={`${mark.kind}: ${mark.label}`}
            >
              <span className="ellipsis">{mark.label}</span>
              <span className="dim">
                <When ms={mark.at_ms} />
              </span>
            </Link>
          ))}
      </section>
      <Said requests={pulse?.totals.requests} />
      <section>
        <h2>Slowest</h2>
        {!pulse && <Skeleton height={150} />}
        {slowest.map((trace) => (
          <UnstyledButton
            key={trace.id}
            className={classes.slow}
            onClick={() => set({ peek: trace.id })}
            aria-label={`Peek at ${trace.name}, ${duration(trace.duration_ms)}`}
          >
            <span className={classes.line}>
              <TraceStatus status={trace.status} kind={trace.error_kind} bare />
              <span className="ellipsis">{trace.input || trace.name}</span>
              <span className="num">{duration(trace.duration_ms)}</span>
            </span>
            <i className={classes.bar} style={{ width: `${(trace.duration_ms / longest) * 100}%` }} />
          </UnstyledButton>
        ))}
      </section>
    </aside>
  );
}
