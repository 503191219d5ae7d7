/** A share with its doubt: the figure, ± half of Wilson's 95 % interval, and the interval as a small bar. */
import { Tooltip } from '@mantine/core';
import { count, percent, wilson } from './format';
import classes from './Interval.module.css';

/** Below this many, a figure would pretend to know. */
const ENOUGH = 10;

export function Interval({
  hits,
  of,
  noun,
  terse,
}: {
  hits: number;
  of: number;
  noun: string;
  /** In a column that is too narrow for a sentence. */
  terse?: boolean;
}) {
  const found = wilson(hits, of);
  if (terse && of === 0) return <span className="dim">–</span>;
  if (!found || of < ENOUGH) {
    return (
      <span className={classes.few}>
        {of === 0
          ? `no ${noun}`
          : terse
            ? `${hits} of ${of}: too few`
            : `${hits} of ${of} ${noun}: too few to say`}
      </span>
    );
  }
  const [low, high] = found;
  const half = ((high - low) / 2) * 100;
  // The bar's scale: up to 10 % where all of it lies there, else up to 100 %.
  const scale = high <= 0.1 ? 0.1 : 1;
  return (
    <Tooltip
      label={`${count(hits)} of ${count(of)} ${noun}; 95 % interval ${percent(low)} to ${percent(high)}`}
    >
      <span className={classes.interval}>
        <span className="num">
          {percent(hits / of)}{' '}
          <span className={classes.doubt}>±{half < 0.1 ? half.toFixed(2) : half.toFixed(1)}</span>
        </span>
        <span className={classes.track} aria-hidden>
          <i
            className={classes.range}
            style={{
              left: `${(low / scale) * 100}%`,
              width: `${Math.max(2, ((high - low) / scale) * 100)}%`,
            }}
          />
          <i className={classes.point} style={{ left: `${(hits / of / scale) * 100}%` }} />
        </span>
      </span>
    </Tooltip>
  );
}
