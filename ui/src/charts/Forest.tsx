/** Differences with their intervals, one a line, on one axis with zero in its place. */
import type { ReactNode } from 'react';
import { figure, signed } from '../parts/format';
import type { Tone } from '../parts/Status';
import classes from './Forest.module.css';

export interface ForestRow {
  id: string;
  label: ReactNode;
  /** Under the label. */
  note?: ReactNode;
  estimate: number | null;
  low: number | null;
  high: number | null;
  tone: Tone;
  /** Right of the axis: the verdict, in words. */
  said: ReactNode;
}

interface Props {
  title: string;
  /** What lies to the left and right of zero. */
  sides: readonly [string, string];
  rows: readonly ForestRow[];
  onChoose?: (id: string) => void;
  chosen?: string | null;
}

export function Forest({ title, sides, rows, onChoose, chosen }: Props) {
  const most = Math.max(
    0.01,
    ...rows.flatMap((row) => [row.low, row.high, row.estimate].map((each) => Math.abs(each ?? 0))),
  );
  const step = round(most / 2);
  const edge = Math.ceil(most / step - 1e-9) * step;
  const place = (value: number) => `${((value + edge) / (2 * edge)) * 100}%`;
  const ticks = [-edge, -edge / 2, 0, edge / 2, edge];
  return (
    <figure className={classes.forest}>
      <figcaption className={classes.title}>{title}</figcaption>
      <div className={classes.axis} aria-hidden>
        <span />
        <span className={classes.ticks}>
          {ticks.map((tick) => (
            <i key={tick} style={{ left: place(tick) }}>
              {tick === 0 ? '0' : signed(tick, edge / 10)}
            </i>
          ))}
        </span>
        <span />
      </div>
      {rows.map((row) => {
        const half = row.low === null || row.high === null ? null : (row.high - row.low) / 2;
        const words =
          row.estimate === null
            ? 'no difference can be given'
            : `${signed(row.estimate, half)}${half === null ? '' : ` ±${figure(half, half)}`}`;
        const Line = onChoose ? 'button' : 'div';
        return (
          <Line
            key={row.id}
            className={classes.row}
            data-tone={row.tone}
            {...(onChoose
              ? {
                  type: 'button' as const,
                  onClick: () => onChoose(row.id),
                  'aria-pressed': chosen === row.id,
                }
              : {})}
          >
            <span className={classes.label}>
              <span className="ellipsis">{row.label}</span>
              {row.note && <span className={classes.note}>{row.note}</span>}
            </span>
            <span className={classes.track} title={words}>
              {ticks.map((tick) => (
                <i
                  key={tick}
                  className={classes.grid}
                  data-zero={tick === 0 || undefined}
                  style={{ left: place(tick) }}
                />
              ))}
              {row.low !== null && row.high !== null && (
                <i
                  className={classes.range}
                  style={{ left: place(row.low), width: `${((row.high - row.low) / (2 * edge)) * 100}%` }}
                />
              )}
              {row.estimate !== null && <i className={classes.point} style={{ left: place(row.estimate) }} />}
            </span>
            <span className={classes.said}>
              <span className="num">{words}</span>
              {row.said}
            </span>
          </Line>
        );
      })}
      <div className={classes.sides} aria-hidden>
        <span />
        <span className={classes.ends}>
          <span>← {sides[0]}</span>
          <span>{sides[1]} →</span>
        </span>
        <span />
      </div>
    </figure>
  );
}

/** 1, 2 or 5 of a power of ten, at least as large. */
function round(value: number): number {
  const size = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((each) => each * size >= value - 1e-12) ?? 10) * size;
}
