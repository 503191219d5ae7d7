/** Two texts, and what was put in and taken out. */
import { type Change, diffLines, diffWordsWithSpace } from 'diff';
import { useMemo } from 'react';
import classes from './Diff.module.css';

/** Beyond this many characters words are compared by line, so that a long text does not hold up the page. */
const LONG = 20_000;

/** Below this share of common text, words in and out would only be a thicket. */
const ALIKE = 0.4;

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
  if (by === 'words' && shared(changes) < ALIKE) {
    return (
      <div className={classes.apart}>
        <span className={classes.same}>
          The two have little in common, so they stand one above the other.
        </span>
        <pre className={classes.diff}>
          <del>{before}</del>
        </pre>
        <pre className={classes.diff}>
          <ins>{after}</ins>
        </pre>
      </div>
    );
  }
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

/** The share of the text that both have. */
function shared(changes: readonly Change[]): number {
  const length = (of: (change: Change) => boolean) =>
    changes.filter(of).reduce((sum, change) => sum + change.value.trim().length, 0);
  const both = length((change) => !change.added && !change.removed);
  const all = 2 * both + length((change) => Boolean(change.added || change.removed));
  return all > 0 ? (2 * both) / all : 1;
}

/** Long stretches without a change show their ends only. */
function shortened(text: string): string {
  const lines = text.split('\n');
  if (lines.length < 9) return text;
  return [...lines.slice(0, 3), `  ⋯ ${lines.length - 7} lines the same`, ...lines.slice(-4)].join('\n');
}
