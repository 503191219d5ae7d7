/**
 * What all time charts share: title and readings above, axis of time below, change marks, the reading line,
 * and the drag that zooms. The drawing itself is a child that fills the plot's box exactly, so that positions
 * are shares of its width and need no question to ECharts.
 */
import { Tooltip } from '@mantine/core';
import { type PointerEvent, type ReactNode, useRef, useState } from 'react';
import { clock, exact } from '../parts/format';
import { type Range, zoomed } from '../parts/range';
import classes from './Frame.module.css';
import { setReading, useReading } from './reading';

export interface ChangeMark {
  at_ms: number;
  kind: string;
  label: string;
  ref?: string;
}

/** A drag's box, in shares of the plot: x to the right, y upwards. */
export interface Box {
  x0: number;
  x1: number;
  y0: number;
  y1: number;
}

interface Props {
  title: string;
  /** Said to people who cannot see the drawing. */
  summary: string;
  legend?: ReactNode;
  aside?: ReactNode;
  domain: readonly [number, number];
  height: number;
  /** Labels of the vertical axis: share of the height, from below, and text. */
  ticks: readonly { at: number; text: string }[];
  marks?: readonly ChangeMark[];
  /** Only the first chart of a page names its marks. */
  named?: boolean;
  /** Whether the drag also chooses a vertical range. */
  vertical?: boolean;
  onDrag?: (box: Box) => void;
  /** Where there is no `onDrag`: the time range that was dragged. */
  onZoom?: (range: Range) => void;
  onPoint?: (point: { x: number; y: number } | null) => void;
  children: ReactNode;
}

export function Frame(props: Props) {
  const { title, summary, legend, aside, domain, height, ticks, marks = [], named, vertical } = props;
  const [start, end] = domain;
  const span = end - start;
  const plot = useRef<HTMLDivElement>(null);
  const from = useRef<{ x: number; y: number } | null>(null);
  const [box, setBox] = useState<Box | null>(null);
  const { onZoom } = props;
  const onDrag =
    props.onDrag ?? (onZoom && (({ x0, x1 }: Box) => onZoom(zoomed(start + x0 * span, start + x1 * span))));
  const shown = marks.filter((mark) => mark.at_ms >= start && mark.at_ms <= end);

  const locate = (event: PointerEvent) => {
    const area = plot.current?.getBoundingClientRect();
    if (!area?.width) return { x: 0, y: 0 };
    const within = (share: number) => Math.min(1, Math.max(0, share));
    return {
      x: within((event.clientX - area.left) / area.width),
      y: within(1 - (event.clientY - area.top) / area.height),
    };
  };
  const move = (event: PointerEvent) => {
    const at = locate(event);
    setReading(start + at.x * span);
    props.onPoint?.(at);
    if (from.current) {
      setBox({
        x0: Math.min(from.current.x, at.x),
        x1: Math.max(from.current.x, at.x),
        y0: vertical ? Math.min(from.current.y, at.y) : 0,
        y1: vertical ? Math.max(from.current.y, at.y) : 1,
      });
    }
  };
  const leave = () => {
    setReading(null);
    props.onPoint?.(null);
  };
  const drop = (event: PointerEvent) => {
    const area = plot.current?.getBoundingClientRect();
    plot.current?.releasePointerCapture(event.pointerId);
    if (box && area && (box.x1 - box.x0) * area.width > 5) {
      const flat = (box.y1 - box.y0) * area.height < 10;
      onDrag?.(flat ? { ...box, y0: 0, y1: 1 } : box);
    }
    from.current = null;
    setBox(null);
  };

  return (
    <figure className={classes.chart} aria-label={summary}>
      <figcaption className={classes.head}>
        <h2 className={classes.title}>{title}</h2>
        {legend}
        {aside && <div className={classes.aside}>{aside}</div>}
      </figcaption>
      <div className={classes.body} style={{ height }}>
        {ticks.map((tick) => (
          <span key={tick.text} className={classes.tick} style={{ bottom: `${tick.at * 100}%` }}>
            {tick.text}
          </span>
        ))}
        <div
          ref={plot}
          className={classes.plot}
          onPointerMove={move}
          onPointerLeave={leave}
          onPointerDown={(event) => {
            if (!onDrag || event.button !== 0 || event.pointerType === 'touch') return;
            from.current = locate(event);
            plot.current?.setPointerCapture(event.pointerId);
          }}
          onPointerUp={drop}
        >
          {ticks.map((tick) => (
            <i key={tick.text} className={classes.grid} style={{ bottom: `${tick.at * 100}%` }} />
          ))}
          {props.children}
          {shown.map((mark) => (
            <Tooltip
              key={`${mark.at_ms} ${mark.kind} ${mark.label}`}
              label={`${mark.kind}: ${mark.label} · ${exact(mark.at_ms).slice(0, 19)}`}
              openDelay={0}
            >
              <span
                className={classes.mark}
                data-named={named || undefined}
                style={{ left: `${((mark.at_ms - start) / span) * 100}%` }}
              />
            </Tooltip>
          ))}
          <ReadingLine domain={domain} />
          {box && (
            <span
              className={classes.box}
              style={{
                left: `${box.x0 * 100}%`,
                width: `${(box.x1 - box.x0) * 100}%`,
                bottom: `${box.y0 * 100}%`,
                height: `${(box.y1 - box.y0) * 100}%`,
              }}
            />
          )}
        </div>
      </div>
      <TimeAxis domain={domain} />
    </figure>
  );
}

function ReadingLine({ domain: [start, end] }: { domain: readonly [number, number] }) {
  const at = useReading();
  if (at === null || at < start || at > end) return null;
  return <span className={classes.reading} style={{ left: `${((at - start) / (end - start)) * 100}%` }} />;
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400]
  .concat([2, 7, 14].map((days) => days * 86_400))
  .map((seconds) => seconds * 1000);

/** Round local times within the domain, about five. */
export function timeTicks(start: number, end: number): number[] {
  const step = STEPS.find((each) => (end - start) / each <= 6) ?? 30 * 86_400_000;
  const zone = step >= 3_600_000 ? new Date(start).getTimezoneOffset() * 60_000 : 0;
  const first = Math.ceil((start - zone) / step) * step + zone;
  const found: number[] = [];
  for (let at = first; at <= end; at += step) found.push(at);
  return found;
}

function TimeAxis({ domain: [start, end] }: { domain: readonly [number, number] }) {
  return (
    <div className={classes.axis} aria-hidden>
      {timeTicks(start, end)
        .filter((at) => (at - start) / (end - start) < 0.97)
        .map((at) => (
          <span key={at} style={{ left: `${((at - start) / (end - start)) * 100}%` }}>
            {clock(at, end - start)}
          </span>
        ))}
    </div>
  );
}
