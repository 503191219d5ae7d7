/** Counts by time and latency, on a logarithmic axis; a drag chooses times and latencies at once. */
import { useComputedColorScheme } from '@mantine/core';
import { useMemo, useState } from 'react';
import type { Schemas } from '../api/client';
import { clock, count, duration } from '../parts/format';
import { resolve } from './colour';
import { type Option, useChart } from './echarts';
import { type ChangeMark, Frame } from './Frame';
import classes from './HeatMap.module.css';
import { logarithmic, unlog } from './scale';

interface Props {
  title: string;
  data: Schemas['HeatMap'];
  marks?: readonly ChangeMark[];
  height?: number;
  /** `latency` is null where the drag was only along the time. */
  onChoose?: (range: { startMs: number; endMs: number; latency: [number, number] | null }) => void;
}

export function HeatMap({ title, data, marks, height = 120, onChoose }: Props) {
  const scheme = useComputedColorScheme('light');
  const [point, setPoint] = useState<{ x: number; y: number } | null>(null);
  const { times_ms: times, edges_ms: edges, counts, step_ms: step } = data;
  const start = times[0] ?? 0;
  const domain = useMemo(() => [start, (times.at(-1) ?? 0) + step] as const, [start, times, step]);
  const low = edges[0] ?? 1;
  const high = edges.at(-1) ?? 10;

  // biome-ignore lint/correctness/useExhaustiveDependencies: colours are read from the scheme's variables
  const option = useMemo<Option>(() => {
    const cells: [number, number, number][] = [];
    let max = 1;
    counts.forEach((column, x) => {
      column.forEach((value, y) => {
        if (value > 0) {
          // A square root, so that single slow traces stay visible beside thousands of fast ones.
          cells.push([x, y, Math.sqrt(value)]);
          max = Math.max(max, Math.sqrt(value));
        }
      });
    });
    return {
      grid: { left: 0, right: 0, top: 0, bottom: 0 },
      xAxis: { type: 'category', show: false, data: times.map(String) },
      yAxis: { type: 'category', show: false, data: edges.slice(0, -1).map(String) },
      visualMap: {
        show: false,
        min: 0,
        max,
        inRange: { color: [resolve('--n-heat-0'), resolve('--n-heat-1'), resolve('--n-heat-2')] },
      },
      series: [{ type: 'heatmap', silent: true, progressive: 0, data: cells, itemStyle: { borderWidth: 0 } }],
    };
  }, [counts, times, edges, scheme]);

  const box = useChart(option);
  const ticks = useMemo(() => logarithmic(low, high, duration), [low, high]);
  const total = counts.reduce((sum, column) => sum + column.reduce((a, b) => a + b, 0), 0);

  const cell = point && {
    x: Math.min(times.length - 1, Math.floor(point.x * times.length)),
    y: Math.min(edges.length - 2, Math.floor(point.y * (edges.length - 1))),
  };
  const said = cell
    ? `${clock(times[cell.x] ?? 0, Math.min(domain[1] - domain[0], 86_400_000))} · ${duration(edges[cell.y])} – ${duration(
        edges[cell.y + 1],
      )} · ${count(counts[cell.x]?.[cell.y] ?? 0)} traces`
    : 'drag to choose times and latencies';

  return (
    <Frame
      title={title}
      summary={`${title}: ${count(total)} traces between ${duration(low)} and ${duration(high)}`}
      legend={<span className={`num ${classes.said}`}>{said}</span>}
      domain={domain}
      height={height}
      ticks={ticks}
      marks={marks}
      vertical
      onPoint={setPoint}
      onDrag={
        onChoose
          ? ({ x0, x1, y0, y1 }) => {
              const span = domain[1] - domain[0];
              onChoose({
                startMs: domain[0] + x0 * span,
                endMs: domain[0] + x1 * span,
                latency: y0 === 0 && y1 === 1 ? null : [unlog(low, high, y0), unlog(low, high, y1)],
              });
            }
          : undefined
      }
    >
      <div ref={box} className={classes.canvas} />
    </Frame>
  );
}
