/** The course of one rule's value: a sparkline in the list, a chart with interval and bounds on its page. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { courseQuery, type MonitorEvent, type Rule } from '../../api/monitors';
import { useScope, useSetRange } from '../../app/scope';
import { Band } from '../../charts/Band';
import { reading as pointed } from '../../charts/reading';
import { Sparkline } from '../../charts/Sparkline';
import { Failure } from '../../parts/Failure';
import { isLive } from '../../parts/range';
import { inUnit, madeOf, measured, reading, WORDS } from './words';

export function Spark({ monitor, rule }: { monitor: string; rule: Rule }) {
  const scope = useScope();
  const { data } = useQuery(courseQuery(scope, monitor, rule.name, isLive(scope)));
  const values = data?.points.map((point) => point.value) ?? [];
  const colour = rule.state === 'alert' ? '--n-bad' : rule.state === 'warning' ? '--n-warn' : '--n-accent';
  return <Sparkline values={values} colour={colour} height={22} />;
}

interface Props {
  monitor: string;
  rule: Rule;
  events: readonly MonitorEvent[];
  named?: boolean;
}

export function Course({ monitor, rule, events, named }: Props) {
  const scope = useScope();
  const zoom = useSetRange();
  const { data, error, refetch } = useQuery({
    ...courseQuery(scope, monitor, rule.name, isLive(scope)),
    // It moves on by itself, but not under the pointer of someone who reads a value.
    refetchInterval: () => (isLive(scope) && pointed() === null ? 10_000 : false),
  });
  const points = useMemo(
    () =>
      (data?.points ?? []).map((point) => ({
        at: point.start_ms,
        value: point.value,
        low: point.low,
        high: point.high,
        note: madeOf(rule, point),
      })),
    [data, rule],
  );
  const bounds = useMemo(
    () =>
      [
        { name: 'warning', value: rule.warn, colour: '--n-warn' },
        { name: 'alert', value: rule.alert, colour: '--n-bad' },
      ].flatMap((each) => (each.value === null ? [] : [{ ...each, value: each.value }])),
    [rule.warn, rule.alert],
  );
  const marks = useMemo(
    () =>
      events
        .filter((event) => event.rule === rule.name)
        .map((event) => ({
          at_ms: event.at_ms,
          kind: WORDS[event.after],
          label: `${measured(rule)} ${reading(rule, event.reading)}`,
          ref: event.id,
        })),
    [events, rule],
  );
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  const first = data?.points[0]?.start_ms ?? 0;
  const last = data?.points.at(-1)?.end_ms ?? first + 1;
  return (
    <Band
      title={measured(rule)}
      points={points}
      stepMs={(data?.step_s ?? 60) * 1000}
      domain={[first, Math.max(last, first + 1)]}
      bounds={bounds}
      format={(value) => inUnit(rule.unit, value)}
      top={rule.unit === 'share' ? 1 : undefined}
      marks={marks}
      named={named}
      rest={reading(rule, rule.reading)}
      onZoom={zoom}
    />
  );
}
