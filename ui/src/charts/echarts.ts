/** The parts of ECharts that are used, and the hook that keeps one in a box. */
import { BarChart, HeatmapChart, LineChart } from 'echarts/charts';
import { GridComponent, VisualMapContinuousComponent } from 'echarts/components';
import * as core from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { type RefObject, useEffect, useRef } from 'react';

core.use([BarChart, LineChart, HeatmapChart, GridComponent, VisualMapContinuousComponent, CanvasRenderer]);

export type Option = Parameters<core.ECharts['setOption']>[0];

/** Draws `option` into the box; nothing is animated, so that a live chart stays calm. */
export function useChart(option: Option): RefObject<HTMLDivElement | null> {
  const box = useRef<HTMLDivElement | null>(null);
  const chart = useRef<core.ECharts | null>(null);
  useEffect(() => {
    const host = box.current;
    if (!host) return;
    const made = core.init(host, null, { renderer: 'canvas' });
    chart.current = made;
    const watch = new ResizeObserver(() => made.resize());
    watch.observe(host);
    return () => {
      watch.disconnect();
      made.dispose();
      chart.current = null;
    };
  }, []);
  useEffect(() => {
    chart.current?.setOption({ animation: false, ...(option as object) } as Option, { notMerge: true });
  }, [option]);
  return box;
}
