/** All trials at once: a line each through the axes of its parameters to its value; the darker the better. */
import { figure } from '../parts/format';
import { type Axis, placed, ticks } from './axis';
import classes from './Parallel.module.css';

export interface Strand {
  id: string;
  values: Readonly<Record<string, unknown>>;
  value: number;
  partial: boolean;
  words: string;
}

interface Props {
  title: string;
  axes: readonly (readonly [name: string, axis: Axis])[];
  strands: readonly Strand[];
  measure: string;
  range: readonly [number, number];
  better: 'higher' | 'lower';
  chosen: string | null;
  onChoose: (id: string) => void;
  height?: number;
}

export function Parallel(props: Props) {
  const { title, axes, strands, measure, range, better, chosen, onChoose, height = 220 } = props;
  const [from, to] = range;
  const last: Axis = { kind: 'number', low: from, high: to, log: false, whole: false };
  const columns = [...axes, [measure, last] as const];
  const x = (at: number) => (columns.length > 1 ? (at / (columns.length - 1)) * 100 : 50);
  const good = (value: number) => {
    const share = (value - from) / (to - from || 1);
    return better === 'higher' ? share : 1 - share;
  };
  // The best are drawn last, above the others.
  const sorted = [...strands].sort(
    (a, b) => Number(a.id === chosen) - Number(b.id === chosen) || good(a.value) - good(b.value),
  );
  return (
    <figure
      className={classes.parallel}
      aria-label={`${title}: ${strands.length} trials, listed in the table`}
    >
      <figcaption className={classes.title}>{title}</figcaption>
      <div className={classes.body} style={{ height }} aria-hidden>
        <svg className={classes.lines} viewBox="0 0 100 100" preserveAspectRatio="none">
          <title>{title}</title>
          {sorted.map((strand) => {
            const points = columns.flatMap(([name, axis], at) => {
              const place = placed(axis, at === columns.length - 1 ? strand.value : strand.values[name]);
              return place === null ? [] : [`${x(at)},${100 - place * 100}`];
            });
            return (
              // biome-ignore lint/a11y/noStaticElementInteractions: the table beside chooses by key
              <polyline
                key={strand.id}
                points={points.join(' ')}
                fill="none"
                vectorEffect="non-scaling-stroke"
                data-chosen={strand.id === chosen || undefined}
                data-partial={strand.partial || undefined}
                style={{ ['--good' as string]: `${Math.round(15 + good(strand.value) * 85)}%` }}
                onClick={() => onChoose(strand.id)}
              >
                <title>{strand.words}</title>
              </polyline>
            );
          })}
        </svg>
        {columns.map(([name, axis], at) => (
          <div
            key={name}
            className={classes.column}
            data-last={at === columns.length - 1 || undefined}
            style={{ left: `${x(at)}%` }}
          >
            <b className="ellipsis" title={name}>
              {name}
            </b>
            {(at === columns.length - 1
              ? [0, 0.5, 1].map((share) => ({
                  at: share,
                  text: figure(from + share * (to - from), (to - from) / 10),
                }))
              : ticks(axis, 4)
            ).map((tick) => (
              <span key={tick.text} className="ellipsis" style={{ bottom: `${tick.at * 100}%` }}>
                {tick.text}
              </span>
            ))}
          </div>
        ))}
      </div>
    </figure>
  );
}
