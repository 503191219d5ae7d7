/** A measured figure with its doubt: `0.82 ±0.03`, and the interval as a small bar. */
import { figure, percent } from './format';
import classes from './Interval.module.css';

/** As the API gives an interval; without bounds `method` says why. */
export interface Doubtful {
  estimate: number | null;
  low: number | null;
  high: number | null;
  level: number;
  n: number;
  method: string;
}

interface Props {
  of: Doubtful | null | undefined;
  /** The ends of the bar; without them there is none. */
  domain?: readonly [number, number] | null;
  say?: (value: number) => string;
  noun?: string;
}

export const UNIT = [0, 1] as const;

/** A doubt below this share of a quantity lies beyond the digits that are shown of it. */
const NOISE = 0.01;

export function Estimate({ of, domain, say, noun = 'examples' }: Props) {
  if (!of || of.estimate === null) {
    return (
      <span className="dim" title={of?.method || undefined}>
        {of?.n === 0 ? 'none yet' : '–'}
      </span>
    );
  }
  const { estimate, low, high, level, n, method } = of;
  const half = low === null || high === null ? null : (high - low) / 2;
  const shown = say ?? ((value: number) => figure(value, half));
  if (half === null || low === null || high === null) {
    return (
      <span className="num" title={`No interval: ${method}`}>
        {shown(estimate)} <span className={classes.few}>no interval</span>
      </span>
    );
  }
  const place = (value: number) => {
    const [from, to] = domain ?? UNIT;
    return Math.min(100, Math.max(0, ((value - from) / (to - from)) * 100));
  };
  return (
    <span
      className={classes.interval}
      title={`${shown(estimate)}, ${percent(level)} interval ${shown(low)} to ${shown(high)}; ${n} ${noun}; ${method}`}
    >
      <span className="num">
        {shown(estimate)}{' '}
        <span className={classes.doubt}>
          ±{say && half < NOISE * Math.abs(estimate) ? '<1\u00a0%' : shown(half)}
        </span>
      </span>
      {domain && (
        <span className={classes.track} aria-hidden>
          <i
            className={classes.range}
            style={{ left: `${place(low)}%`, width: `${Math.max(3, place(high) - place(low))}%` }}
          />
          <i className={classes.point} style={{ left: `${place(estimate)}%` }} />
        </span>
      )}
    </span>
  );
}
