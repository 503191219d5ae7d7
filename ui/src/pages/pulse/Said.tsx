/** What people say of the answers: how often, and how good, with its doubt; each leads to the traces behind it. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Answer } from '../../api/client';
import { saidQuery } from '../../api/queries';
import { useScope } from '../../app/scope';
import { Estimate } from '../../parts/Estimate';
import { count, percent } from '../../parts/format';
import { Interval } from '../../parts/Interval';
import classes from './Pulse.module.css';

const MOST = 6;

type Row = Answer<'/api/feedback/said'>['items'][number];

export function Said({ requests }: { requests: number | undefined }) {
  const scope = useScope();
  const { data, error } = useQuery({ ...saidQuery(scope), refetchInterval: 15_000 });
  const rows = [...(data?.items ?? [])].sort((a, b) => b.count - a.count);
  const all = rows.reduce((sum, row) => sum + row.count, 0);
  return (
    <section>
      <h2>What people say</h2>
      {error && <div className={classes.quiet}>{error.message}</div>}
      {data && rows.length === 0 && <div className={classes.quiet}>Nothing in this time.</div>}
      {all > 0 && (
        <div className={classes.quiet}>
          <span className="num">
            {count(all)} {all === 1 ? 'time' : 'times'}
            {requests ? ` in ${count(requests)} calls, ${percent(Math.min(1, all / requests))}` : ''}
          </span>
        </div>
      )}
      {rows.slice(0, MOST).map((row) => (
        <Link
          key={`${row.kind} ${row.name}`}
          to="/traces"
          search={{ q: behind(row) } as never}
          className={classes.line}
          title={`${count(row.count)} of kind ${row.kind}`}
        >
          <span className="ellipsis">{row.name || NAMES[row.kind] || row.kind}</span>
          <Figure row={row} />
        </Link>
      ))}
    </section>
  );
}

const NAMES: Record<string, string> = {
  thumb: 'Thumbs up',
  score: 'Score',
  choice: 'Choice',
  comment: 'Comments',
  correction: 'Corrections',
  demonstration: 'Demonstrations',
};

/** The filter that finds the traces of which it was said; of what has no words, those of which anything was. */
function behind(row: Row): string {
  const field = row.name ? `feedback.${row.name}` : 'feedback';
  const words = row.kind === 'thumb' ? ['up', 'down'] : Object.keys(row.words);
  const plain = [row.name, ...words].every((each) => /^[\w-]*$/.test(each));
  return plain && words.length > 0 && (row.name || row.kind === 'thumb')
    ? `${field}:${words.join(',')}`
    : 'has:feedback';
}

function Figure({ row }: { row: Row }) {
  if (row.kind === 'thumb') {
    const up = row.words.up ?? 0;
    return <Interval hits={up} of={up + (row.words.down ?? 0)} noun="thumbs" terse />;
  }
  if (row.interval) return <Estimate of={row.interval} noun="scores" />;
  const [most] = Object.entries(row.words).sort(([, a], [, b]) => b - a);
  return (
    <span className="num">
      {most ? `${most[0]} ${count(most[1])} of ${count(row.count)}` : count(row.count)}
    </span>
  );
}
