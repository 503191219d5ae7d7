/** One value over time within the band of its interval, and the bounds that it is held against. */
import { useComputedColorScheme } from '@mantine/core';
import { useMemo } from 'react';
import type { Range } from '../parts/range';
import { alpha, resolve } from './colour';
import { type Option, useChart } from './echarts';
import { type ChangeMark, Frame } from './Frame';
import { useReading } from './reading';
import { linear } from './scale';
import classes from './TimeSeries.module.css';

export interface BandPoint {
  at: number;
  value: number | null;
  low: number | null;
  high: number | null;
  /** What else is known of it, for the reading line. */
  note: string;
}

export interface Bound {
  name: string;
  value: number;
  /** A CSS variable. */
  colour: string;
}

interface Props {
  title: string;
  points: readonly BandPoint[];
  stepMs: number;
  domain: readonly [number, number];
  bounds: readonly Bound[];
  format: (value: number) => string;
  /** A fixed top, such as 1 for shares. */
  top?: number;
  marks?: readonly ChangeMark[];
  named?: boolean;
  height?: number;
  rest?: string;
  onZoom?: (range: Range) => void;
}

export function Band(props: Props) {
  const { title, points, stepMs, domain, bounds, format, marks = [], height = 150 } = props;
  const scheme = useComputedColorScheme('light');
  const { bottom, top, ticks } = useMemo(() => {
    const known = points.flatMap((point) => [point.value, point.low, point.high]);
    const all = [...known, ...bounds.map((bound) => bound.value)].filter((each) => each !== null);
    const lowest = Math.min(0, ...all);
    const highest = Math.max(0, ...all);
    const limit = props.top === undefined ? highest : Math.min(props.top, highest * 1.15);
    if (lowest === 0) return { bottom: 0, ...linear(limit, format) };
    const edge = Math.max(limit, 0);
    const span = edge - lowest || 1;
    const marked = [...new Set([lowest, 0, edge])].map((value) => ({
      at: (value - lowest) / span,
      text: format(value),
    }));
    return { bottom: lowest, top: edge, ticks: marked };
  }, [points, bounds, format, props.top]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: colours are read from the scheme's variables
  const option = useMemo<Option>(() => {
    const colour = resolve('--n-accent');
    const place = (pick: (point: BandPoint) => number | null) =>
      points.map((point) => [point.at + stepMs / 2, pick(point)]);
    const quiet = { type: 'line' as const, showSymbol: false, silent: true, connectNulls: false };
    const invisible = { ...quiet, stack: 'band', stackStrategy: 'all' as const, lineStyle: { opacity: 0 } };
    return {
      grid: { left: 0, right: 0, top: 0, bottom: 0 },
      xAxis: { type: 'time', show: false, min: domain[0], max: domain[1] },
      yAxis: { type: 'value', show: false, min: bottom, max: top },
      series: [
        { ...invisible, data: place((point) => point.low) },
        {
          ...invisible,
          areaStyle: { color: alpha(colour, 0.18) },
          data: place((point) => (point.low === null || point.high === null ? null : point.high - point.low)),
        },
        {
          ...quiet,
          showSymbol: true,
          symbol: 'circle',
          symbolSize: 3,
          lineStyle: { color: colour, width: 1.8 },
          itemStyle: { color: colour },
          data: place((point) => point.value),
        },
        ...bounds.map((bound) => ({
          ...quiet,
          lineStyle: { color: resolve(bound.colour), width: 1.2, type: 'dashed' as const },
          data: [
            [domain[0], bound.value],
            [domain[1], bound.value],
          ],
        })),
      ],
    };
  }, [points, bounds, stepMs, domain, bottom, top, scheme]);

  const box = useChart(option);
  const last = points.findLast((point) => point.value !== null);
  const said = last?.value === null || last === undefined ? 'nothing measured' : format(last.value);
  const held = bounds.map((bound) => `, ${bound.name} ${format(bound.value)}`).join('');
  return (
    <Frame
      title={title}
      summary={`${title}: ${said}${held}`}
      domain={domain}
      height={height}
      ticks={ticks}
      marks={marks}
      named={props.named}
      legend={<Legend {...props} />}
      onZoom={props.onZoom}
    >
      <div ref={box} className={classes.canvas} />
    </Frame>
  );
}

/** What stands at the reading line, and the bounds. */
function Legend({ points, stepMs, format, bounds, rest }: Props) {
  const at = useReading();
  const point = at === null ? null : points.find((each) => each.at <= at && at < each.at + stepMs);
  const value = point?.value;
  const doubt =
    point && point.low !== null && point.high !== null
      ? ` (${format(point.low)} to ${format(point.high)})`
      : '';
  const pointed = value === null || value === undefined ? '–' : `${format(value)}${doubt} · ${point?.note}`;
  return (
    <div className={classes.legend}>
      <span className={classes.entry} style={{ maxWidth: 'none' }}>
        <i className={classes.swatch} style={{ background: 'var(--n-accent)' }} />
        <b className="num">{at === null ? rest : pointed}</b>
      </span>
      {bounds.map((bound) => (
        <span key={bound.name} className={classes.entry}>
          <i className={classes.swatch} style={{ background: `var(${bound.colour})` }} />
          {bound.name} <b className="num">{format(bound.value)}</b>
        </span>
      ))}
    </div>
  );
}
