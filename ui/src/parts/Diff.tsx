/** Two texts, and what was put in and taken out. */
import { diffLines, diffWordsWithSpace } from 'diff';
import { useMemo } from 'react';
import classes from './Diff.module.css';

/** Beyond this many characters words are compared by line, so that a long text does not hold up the page. */
const LONG = 20_000;

export function Diff({
  before,
  after,
  by = 'words',
}: {
  before: string;
  after: string;
  by?: 'words' | 'lines';
}) {
  const changes = useMemo(
    () =>
      by === 'lines' || before.length + after.length > LONG
        ? diffLines(before, after)
        : diffWordsWithSpace(before, after),
    [before, after, by],
  );
  if (before === after) return <div className={classes.same}>No difference.</div>;
  return (
    <pre className={classes.diff}>
      {changes.map((change, index) => {
        const key = `${index} ${change.value.length}`;
        if (change.added) return <ins key={key}>{change.value}</ins>;
        if (change.removed) return <del key={key}>{change.value}</del>;
        return <span key={key}>{by === 'lines' ? shortened(change.value) : change.value}</span>;
      })}
    </pre>
  );
}

/** Long stretches without a change show their ends only. */
function shortened(text: string): string {
  const lines = text.split('\n');
  if (lines.length < 9) return text;
  return [...lines.slice(0, 3), `  ⋯ ${lines.length - 7} lines the same`, ...lines.slice(-4)].join('\n');
}
