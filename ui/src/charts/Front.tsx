/** Quality against what it costs: each point with its interval, and the line of those that none beats. */

import { figure } from '../parts/format';
import classes from './Front.module.css';
import { linear } from './scale';

export interface FrontPoint {
  id: string;
  name: string;
  /** A CSS variable. */
  colour: string;
  x: number;
  y: number;
  low: number | null;
  high: number | null;
}

/** A name's height in pixels, and the share of the width that it may take on a narrow screen. */
const LINE = 15;
const NEAR = 0.55;

interface Props {
  title: string;
  points: readonly FrontPoint[];
  /** Points that have no place, with the reason. */
  missing?: readonly string[];
  xName: string;
  xSay: (value: number) => string;
  yName: string;
  better: 'higher' | 'lower';
  height?: number;
}

export function Front({ title, points, missing = [], xName, xSay, yName, better, height = 220 }: Props) {
  const xs = linear(Math.max(0, ...points.map((point) => point.x)) * 1.08, xSay);
  const bounds = points.flatMap((point) => [point.low ?? point.y, point.high ?? point.y, point.y]);
  const low = Math.min(...bounds);
  const high = Math.max(...bounds);
  const pad = (high - low || Math.abs(high) || 1) * 0.12;
  // The vertical axis does not begin at zero: what is read is the differences between the points.
  const from = low >= 0 ? Math.max(0, low - pad) : low - pad;
  const to = high <= 1 ? Math.min(1, high + pad) : high + pad;
  const left = (value: number) => `${(value / xs.top) * 100}%`;
  const up = (value: number) => `${((value - from) / (to - from || 1)) * 100}%`;
  // From where to where a name goes: near the right edge it stands before its point.
  const atEnd = (point: FrontPoint) => point.x / xs.top > 0.7;
  const start = (point: FrontPoint) => point.x / xs.top - (atEnd(point) ? NEAR : 0);
  const front = pareto(points, better);
  const moved = apart(
    points.map((point) => ({ x: start(point), y: ((point.y - from) / (to - from || 1)) * height })),
  );
  return (
    <figure
      className={classes.front}
      aria-label={`${title}: ${points.map((point) => `${point.name} ${figure(point.y)} at ${xSay(point.x)}`).join('; ')}`}
    >
      <figcaption className={classes.title}>{title}</figcaption>
      <div className={classes.body} style={{ height }}>
        {[0, 0.25, 0.5, 0.75, 1].map((at) => (
          <span key={at} className={classes.tick} style={{ bottom: `${at * 100}%` }}>
            {figure(from + at * (to - from), (to - from) / 10)}
          </span>
        ))}
        <div className={classes.plot}>
          {[0.25, 0.5, 0.75, 1].map((at) => (
            <i key={at} className={classes.grid} style={{ bottom: `${at * 100}%` }} />
          ))}
          <svg className={classes.lines} viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
            <polyline
              points={front
                .map(
                  (point) =>
                    `${(point.x / xs.top) * 100},${100 - ((point.y - from) / (to - from || 1)) * 100}`,
                )
                .join(' ')}
              fill="none"
              stroke="var(--n-line-strong)"
              strokeDasharray="4 3"
              vectorEffect="non-scaling-stroke"
            />
          </svg>
          {points.map((point, index) => (
            <span
              key={point.id}
              className={classes.point}
              data-front={front.includes(point) || undefined}
              data-end={atEnd(point) || undefined}
              style={{
                left: left(point.x),
                bottom: up(point.y),
                ['--colour' as string]: `var(${point.colour})`,
                ['--moved' as string]: `${moved[index]}px`,
              }}
              title={`${point.name}: ${figure(point.y)} at ${xSay(point.x)}`}
            >
              <b className="ellipsis">{point.name}</b>
            </span>
          ))}
          {points.map(
            (point) =>
              point.low !== null &&
              point.high !== null && (
                <i
                  key={point.id}
                  className={classes.whisker}
                  style={{
                    left: left(point.x),
                    bottom: up(point.low),
                    height: `${((point.high - point.low) / (to - from || 1)) * 100}%`,
                    background: `var(${point.colour})`,
                  }}
                />
              ),
          )}
        </div>
      </div>
      <div className={classes.axis} aria-hidden>
        {xs.ticks.map((tick) => (
          <span key={tick.text} data-end={tick.at > 0.97 || undefined} style={{ left: `${tick.at * 100}%` }}>
            {tick.text}
          </span>
        ))}
      </div>
      <p className={classes.names}>
        {yName} ({better} is better) against {xName}; filled: none is better at less.
        {missing.length > 0 && ` Not shown, as it is not known: ${missing.join(', ')}.`}
      </p>
    </figure>
  );
}

/** Pixels by which each name is lowered, so that none lies on another of a point nearby. */
export function apart(places: readonly { x: number; y: number }[]): number[] {
  const taken: { x: number; y: number }[] = [];
  const lowered = places.map(() => 0);
  for (const [index, { x, y }] of [...places.entries()].sort(([, a], [, b]) => b.y - a.y)) {
    let at = y;
    while (taken.some((other) => Math.abs(other.x - x) < NEAR && Math.abs(other.y - at) < LINE)) at -= LINE;
    taken.push({ x, y: at });
    lowered[index] = y - at;
  }
  return lowered;
}

/** Those that no other beats on both, from cheap to dear. */
export function pareto<T extends { x: number; y: number }>(
  points: readonly T[],
  better: 'higher' | 'lower',
): T[] {
  const sign = better === 'higher' ? 1 : -1;
  let best = Number.NEGATIVE_INFINITY;
  return [...points]
    .sort((a, b) => a.x - b.x || sign * (b.y - a.y))
    .filter((point) => {
      if (sign * point.y <= best) return false;
      best = sign * point.y;
      return true;
    });
}
