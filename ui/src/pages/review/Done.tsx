/** How much of a queue is done, disputed and open: one bar and the figures. */
import type { Schemas } from '../../api/client';
import { count } from '../../parts/format';
import classes from './Review.module.css';

export function Done({ progress }: { progress: Schemas['QueueProgress'] }) {
  const whole = progress.items - progress.dropped;
  if (whole === 0) return <span className="dim">no items</span>;
  const share = (value: number) => `${(value / whole) * 100}%`;
  return (
    <span className={classes.done} title={`${progress.disputed} disputed, ${progress.open} open`}>
      <span className={classes.bar} aria-hidden>
        <i data-kind="done" style={{ width: share(progress.done) }} />
        <i data-kind="disputed" style={{ width: share(progress.disputed) }} />
      </span>
      <span className="num">
        {count(progress.done)} of {count(whole)}
        {progress.disputed > 0 && <span className="dim"> · {count(progress.disputed)} disputed</span>}
      </span>
    </span>
  );
}
