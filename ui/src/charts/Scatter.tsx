/** Trials over one parameter, or in their order: a point each, its interval on request, the best in accent. */
import { figure } from '../parts/format';
import { type Axis, placed, ticks } from './axis';
import classes from './Scatter.module.css';

export interface Dot {
  id: string;
  x: unknown;
  y: number;
  low: number | null;
  high: number | null;
  /** Given up early: its value is not of all examples. */
  partial: boolean;
  /** Said on hover. */
  words: string;
}

interface Props {
  title: string;
  axis: Axis;
  dots: readonly Dot[];
  best: string | null;
  chosen: string | null;
  onChoose: (id: string) => void;
  /** Both ends of the vertical axis, the same for all charts of a page. */
  range: readonly [number, number];
  height?: number;
  /** Steps of the best so far: x and y, in the order of x. */
  line?: readonly { x: number; y: number }[];
}

export function Scatter(props: Props) {
  const { title, axis, dots, best, chosen, onChoose, range, height = 150, line = [] } = props;
  const [from, to] = range;
  const up = (value: number) => ((value - from) / (to - from || 1)) * 100;
  const marks = ticks(axis, 4);
  const steps = line.flatMap((one, at) => {
    const x = (placed(axis, one.x) ?? 0) * 100;
    const next = line[at + 1];
    const end = next ? (placed(axis, next.x) ?? 0) * 100 : 100;
    return [`${x},${100 - up(one.y)}`, `${end},${100 - up(one.y)}`];
  });
  return (
    <figure className={classes.scatter} aria-label={`${title}: ${dots.length} trials, listed in the table`}>
      <figcaption className={classes.title}>{title}</figcaption>
      <div className={classes.body} style={{ height }}>
        {[0, 0.5, 1].map((at) => (
          <span key={at} className={classes.tick} style={{ bottom: `${at * 100}%` }}>
            {figure(from + at * (to - from), (to - from) / 10)}
          </span>
        ))}
        <div className={classes.plot} aria-hidden>
          {[0.5, 1].map((at) => (
            <i key={at} className={classes.grid} style={{ bottom: `${at * 100}%` }} />
          ))}
          {steps.length > 0 && (
            <svg className={classes.line} viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
              <polyline points={steps.join(' ')} fill="none" vectorEffect="non-scaling-stroke" />
            </svg>
          )}
          {dots.map((dot, place) => {
            const x = placed(axis, dot.x);
            if (x === null) return null;
            // Those of one value stand beside each other, so that none hides another.
            const aside = axis.kind === 'choice' ? ((place * 7) % 11) - 5 : 0;
            const left = `calc(${x * 100}% + ${aside * 2}px)`;
            const shown = dot.id === chosen || dot.id === best;
            return (
              <span key={dot.id}>
                {shown && dot.low !== null && dot.high !== null && (
                  <i
                    className={classes.whisker}
                    style={{ left, bottom: `${up(dot.low)}%`, height: `${up(dot.high) - up(dot.low)}%` }}
                  />
                )}
                <button
                  type="button"
                  tabIndex={-1}
                  className={classes.dot}
                  data-best={dot.id === best || undefined}
                  data-chosen={dot.id === chosen || undefined}
                  data-partial={dot.partial || undefined}
                  style={{ left, bottom: `${up(dot.y)}%` }}
                  title={dot.words}
                  onClick={() => onChoose(dot.id)}
                />
              </span>
            );
          })}
        </div>
      </div>
      <div className={classes.axis} aria-hidden data-choice={axis.kind === 'choice' || undefined}>
        {marks.map((tick) => (
          <span
            key={tick.text}
            className="ellipsis"
            style={{
              left: `${tick.at * 100}%`,
              ...(axis.kind === 'choice' ? { maxWidth: `${100 / marks.length}%` } : {}),
            }}
            title={tick.text}
          >
            {tick.text}
          </span>
        ))}
      </div>
    </figure>
  );
}
