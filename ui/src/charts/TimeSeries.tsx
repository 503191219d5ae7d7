/** Lines, a ribbon of percentiles, or stacked bars over time. */
import { useComputedColorScheme } from '@mantine/core';
import { useMemo } from 'react';
import type { Range } from '../parts/range';
import { alpha, resolve } from './colour';
import { type Option, useChart } from './echarts';
import { type ChangeMark, Frame } from './Frame';
import { useReading } from './reading';
import { linear } from './scale';
import classes from './TimeSeries.module.css';

export interface Series {
  name: string;
  /** A CSS variable. */
  colour: string;
  values: readonly (number | null)[];
  /** Sums are read differently from levels: what stands in the legend when nothing is pointed at. */
  rest?: string;
}

export interface TimeSeriesProps {
  title: string;
  /** ribbon: the series are p50, p95, p99. */
  kind: 'lines' | 'ribbon' | 'bars';
  times: readonly number[];
  stepMs: number;
  domain: readonly [number, number];
  series: readonly Series[];
  format: (value: number) => string;
  /** A fixed top, such as 1 for shares. */
  top?: number;
  /** Counts: the axis has no halves. */
  whole?: boolean;
  marks?: readonly ChangeMark[];
  named?: boolean;
  height?: number;
  onZoom?: (range: Range) => void;
}

export function TimeSeries(props: TimeSeriesProps) {
  const { title, kind, times, stepMs, domain, series, format, marks = [], height = 132 } = props;
  const scheme = useComputedColorScheme('light');

  const { top, ticks } = useMemo(() => {
    let max = 0;
    for (let i = 0; i < times.length; i++) {
      const values = series.map((each) => each.values[i] ?? 0);
      max = Math.max(
        max,
        kind === 'bars' ? values.reduce((sum, value) => sum + value, 0) : Math.max(0, ...values),
      );
    }
    return linear(props.top === undefined ? max : Math.min(props.top, max * 1.2), format, {
      whole: props.whole,
    });
  }, [times, series, kind, format, props.top, props.whole]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: colours are read from the scheme's variables
  const option = useMemo<Option>(() => {
    const middle = (values: readonly (number | null)[]) =>
      // The last step may still be filling: its middle is that of the part that has passed.
      values.map((value, index) => {
        const from = times[index] ?? 0;
        return [(from + Math.min(from + stepMs, Math.max(from, domain[1]))) / 2, value];
      });
    const lines = {
      type: 'line' as const,
      showSymbol: false,
      connectNulls: false,
      silent: true,
      // A lone value between gaps would not show as a line.
      symbol: 'circle',
      symbolSize: 4,
      showAllSymbol: false,
    };
    const drawn =
      kind === 'ribbon'
        ? ribbon(series, middle, lines)
        : series.map((each) => {
            const colour = resolve(each.colour);
            return kind === 'bars'
              ? {
                  type: 'bar' as const,
                  stack: 'all',
                  silent: true,
                  barCategoryGap: '18%',
                  barMaxWidth: 28,
                  itemStyle: { color: colour },
                  data: middle(each.values),
                }
              : {
                  ...lines,
                  showSymbol: isolated(each.values),
                  lineStyle: { color: colour, width: 1.6 },
                  itemStyle: { color: colour },
                  areaStyle: series.length === 1 ? { color: alpha(colour, 0.1) } : undefined,
                  data: middle(each.values),
                };
          });
    return {
      grid: { left: 0, right: 0, top: 0, bottom: 0 },
      xAxis: { type: 'time', show: false, min: domain[0], max: domain[1] },
      yAxis: { type: 'value', show: false, min: 0, max: top },
      series: drawn,
    };
  }, [times, stepMs, series, kind, domain, top, scheme]);

  const box = useChart(option);
  const summary = `${title}: ${series.map((each) => `${each.name} ${last(each.values, format)}`).join(', ')}`;
  return (
    <Frame
      title={title}
      summary={summary}
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

type Point = (string | number | null)[][];

/** p50 as a line, p50–p95 and p95–p99 as bands over it. */
function ribbon(
  series: readonly Series[],
  middle: (values: readonly (number | null)[]) => Point,
  lines: { type: 'line' },
) {
  const [p50, p95, p99] = series;
  if (!p50 || !p95 || !p99) return [];
  const gap = (high: Series, low: Series) =>
    high.values.map((value, index) => {
      const below = low.values[index];
      return value === null || below === null || below === undefined ? null : Math.max(0, value - below);
    });
  const band = (data: Point, colour: string, share: number) => ({
    ...lines,
    stack: 'ribbon',
    lineStyle: { width: share > 0 ? 1 : 0, color: alpha(colour, 0.5) },
    areaStyle: { color: alpha(colour, share) },
    itemStyle: { color: colour },
    data,
  });
  const colour = resolve(p50.colour);
  return [
    {
      ...lines,
      stack: 'ribbon',
      showSymbol: isolated(p50.values),
      lineStyle: { width: 2, color: colour },
      itemStyle: { color: colour },
      data: middle(p50.values),
    },
    band(middle(gap(p95, p50)), resolve(p95.colour), 0.26),
    band(middle(gap(p99, p95)), resolve(p99.colour), 0.12),
  ];
}

/** Whether a value stands alone between gaps, so that a line would not show it. */
function isolated(values: readonly (number | null)[]): boolean {
  return values.some(
    (value, index) =>
      value !== null && (values[index - 1] ?? null) === null && (values[index + 1] ?? null) === null,
  );
}

function last(values: readonly (number | null)[], format: (value: number) => string): string {
  const found = values.findLast((value) => value !== null);
  return found === undefined || found === null ? 'nothing measured' : format(found);
}

/** The names, and what stands at the reading line. */
function Legend({ series, times, stepMs, format, kind }: TimeSeriesProps) {
  const at = useReading();
  const first = times[0] ?? 0;
  const index = at === null ? null : Math.floor((at - first) / stepMs);
  return (
    <div className={classes.legend}>
      {series.map((each, place) => {
        const value = index === null ? undefined : each.values[index];
        const said = index === null ? each.rest : value === null || value === undefined ? '–' : format(value);
        return (
          <span key={each.name} className={classes.entry}>
            <i
              className={classes.swatch}
              style={{
                background: `var(${each.colour})`,
                opacity: kind === 'ribbon' ? [1, 0.5, 0.25][place] : 1,
              }}
            />
            {each.name}
            <b className={`num ${classes.value}`} data-rest={each.rest ?? ''}>
              {said}
            </b>
          </span>
        );
      })}
    </div>
  );
}
