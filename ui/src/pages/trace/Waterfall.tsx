/** Spans over time: the critical path in accent, attempts under their call, marks for cache and errors. */
import { UnstyledButton } from '@mantine/core';
import {
  IconBolt,
  IconChevronDown,
  IconChevronRight,
  IconCircleXFilled,
  IconRefresh,
} from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { Schemas } from '../../api/client';
import { useShortcuts } from '../../app/shortcuts';
import { linear } from '../../charts/scale';
import { count, duration } from '../../parts/format';
import { type Row, rows } from './tree';
import classes from './Waterfall.module.css';

interface Props {
  trace: Schemas['TraceDetail'];
  chosen: string | null;
  onChoose: (id: string) => void;
  /** Keys belong to the page's own trace, not to the one in the peek panel. */
  keyed: boolean;
}

export function Waterfall({ trace, chosen, onChoose, keyed }: Props) {
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const shown = useMemo(() => rows(trace.spans, closed), [trace.spans, closed]);
  const total = useMemo(
    () =>
      Math.max(
        trace.summary.duration_ms,
        ...trace.spans.map((span) => span.offset_ms + span.duration_ms),
        0.001,
      ),
    [trace],
  );
  const scroll = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => 28,
    overscan: 20,
  });
  const ticks = useMemo(() => {
    const { top, ticks } = linear(total / 1.3, duration);
    return ticks.map((tick) => ({ ...tick, at: (tick.at * top) / total })).filter((tick) => tick.at < 0.98);
  }, [total]);

  const place = shown.findIndex((row) => row.span.id === chosen);
  const step = (by: number) => {
    const row = shown[Math.min(shown.length - 1, Math.max(0, place + by))];
    if (row) onChoose(row.span.id);
  };
  const toggle = (id: string) => {
    const next = new Set(closed);
    if (!next.delete(id)) next.add(id);
    setClosed(next);
  };
  useShortcuts(
    keyed
      ? [
          { keys: 'j', label: 'Next span', group: 'Trace', run: () => step(1) },
          { keys: 'k', label: 'Previous span', group: 'Trace', run: () => step(-1) },
          { keys: 'x', label: 'Fold or unfold', group: 'Trace', run: () => chosen && toggle(chosen) },
        ]
      : [],
  );
  useEffect(() => {
    if (place >= 0) virtual.scrollToIndex(place);
  }, [place, virtual]);

  return (
    <div className={classes.waterfall}>
      <div className={classes.axis} aria-hidden>
        <span className={classes.spans}>{count(trace.spans.length)} spans</span>
        <div className={classes.ticks}>
          {ticks.map((tick) => (
            <span key={tick.text} style={{ left: `${tick.at * 100}%` }}>
              {tick.text}
            </span>
          ))}
        </div>
      </div>
      {trace.truncated && (
        <div className={classes.note}>This trace has more than 5,000 spans; the first 5,000 are shown.</div>
      )}
      <div
        ref={scroll}
        className={classes.scroll}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
        tabIndex={0}
        role="region"
        aria-label="Spans over time"
      >
        <div className={classes.body} style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const row = shown[item.index];
            return row ? (
              <Line
                key={row.span.id}
                row={row}
                total={total}
                top={item.start}
                chosen={row.span.id === chosen}
                closed={closed.has(row.span.id)}
                onChoose={() => onChoose(row.span.id)}
                onToggle={() => toggle(row.span.id)}
              />
            ) : null;
          })}
        </div>
      </div>
    </div>
  );
}

interface LineProps {
  row: Row;
  total: number;
  top: number;
  chosen: boolean;
  closed: boolean;
  onChoose: () => void;
  onToggle: () => void;
}

function Line({ row, total, top, chosen, closed, onChoose, onToggle }: LineProps) {
  const { span } = row;
  const left = (span.offset_ms / total) * 100;
  const width = (span.duration_ms / total) * 100;
  // A long bar that ends near the edge has its figure inside.
  const inside = left + width > 78 && width > 18 && span.confirmed;
  const first =
    span.first_token_ms === null ? null : (span.first_token_ms / Math.max(span.duration_ms, 0.001)) * 100;
  return (
    <div
      className={classes.line}
      style={{ transform: `translateY(${top}px)` }}
      data-chosen={chosen || undefined}
    >
      {row.children > 0 ? (
        <UnstyledButton
          className={classes.fold}
          style={{ left: 4 + Math.min(row.depth, 12) * 14 }}
          onClick={onToggle}
          aria-label={closed ? `Unfold ${span.name}` : `Fold ${span.name}`}
          aria-expanded={!closed}
        >
          {closed ? <IconChevronRight size={12} /> : <IconChevronDown size={12} />}
        </UnstyledButton>
      ) : null}
      <UnstyledButton
        className={classes.choose}
        onClick={onChoose}
        aria-pressed={chosen}
        aria-label={`${span.name}, ${duration(span.duration_ms)}${span.status === 'error' ? ', failed' : ''}${
          span.critical ? ', on the critical path' : ''
        }`}
      >
        <span className={classes.name} style={{ paddingLeft: 22 + Math.min(row.depth, 12) * 14 }}>
          {span.status === 'error' && <IconCircleXFilled size={12} className={classes.bad} aria-hidden />}
          {span.cache === 'hit' && <IconBolt size={12} className={classes.good} aria-hidden />}
          {span.attempts !== null && span.attempts > 1 && (
            <IconRefresh size={12} className={classes.warn} aria-hidden />
          )}
          <span className="ellipsis">{span.name}</span>
          {closed && <span className={classes.below}>+{count(row.below)}</span>}
        </span>
        <span className={classes.track}>
          <i
            className={classes.bar}
            data-critical={span.critical || undefined}
            data-failed={span.status === 'error' || undefined}
            data-open={!span.confirmed || undefined}
            style={{ left: `${left}%`, width: `max(2px, ${width}%)` }}
          >
            {first !== null && first > 0.5 && first < 99.5 && <b style={{ left: `${first}%` }} />}
            {inside && <em className="num">{duration(span.duration_ms)}</em>}
          </i>
          {!inside && (
            <em
              className="num"
              style={
                left + width > 78 ? { right: `${100 - left + 0.8}%` } : { left: `${left + width + 0.8}%` }
              }
            >
              {duration(span.duration_ms)}
            </em>
          )}
        </span>
      </UnstyledButton>
    </div>
  );
}
