/**
 * The table of every list: virtual rows, one row chosen by j and k, enter opens, space peeks. On a narrow
 * screen each row is a card of the two columns that matter.
 */
import { Skeleton, UnstyledButton } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import {
  createSortedRowModel,
  rowSortingFeature,
  type SortFn,
  sortFn_alphanumeric,
  sortFn_basic,
  tableFeatures,
  useTable,
} from '@tanstack/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useShortcuts } from '../app/shortcuts';
import classes from './DataTable.module.css';

const features = tableFeatures({ rowSortingFeature, sortedRowModel: createSortedRowModel() });

export interface Column<T> {
  id: string;
  header: string;
  /** A track of a CSS grid, such as `80px` or `minmax(120px, 1fr)`. */
  width: string;
  end?: boolean;
  cell: (row: T) => ReactNode;
  /** Where given, a click on the header sorts the rows at hand. */
  value?: (row: T) => string | number | null;
  /** The two that make the card of a narrow screen. */
  narrow?: 'first' | 'second';
  /** What the card shows instead of the cell. */
  card?: (row: T) => ReactNode;
}

interface Props<T> {
  label: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  id: (row: T) => string;
  /** Id of the row whose detail is open. */
  open?: string | null;
  onOpen?: (row: T) => void;
  onPeek?: (row: T) => void;
  /** Shown instead of rows. */
  empty?: ReactNode;
  loading?: boolean;
  /** More rows are to be had. */
  more?: boolean;
  onMore?: () => void;
  /** Fixed height; without one the table is as tall as its rows. */
  height?: string;
}

export function DataTable<T>(props: Props<T>) {
  const { label, columns, rows, id, open, onOpen, onPeek, empty, loading, more, onMore, height } = props;
  const narrow = useMediaQuery('(max-width: 48em)') ?? false;
  const compact = document.documentElement.dataset.density === 'compact';
  const scroll = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<string | null>(null);

  const definitions = useMemo(
    () =>
      columns.map((column) => ({
        id: column.id,
        accessorFn: (row: T) => column.value?.(row) ?? undefined,
        enableSorting: column.value !== undefined,
        sortUndefined: 'last' as const,
        sortFn: ((a, b, key) =>
          typeof a.getValue(key) === 'string'
            ? sortFn_alphanumeric(a, b, key)
            : sortFn_basic(a, b, key)) as SortFn<typeof features, T & object>,
      })),
    [columns],
  );
  const table = useTable({
    features,
    columns: definitions as never,
    data: rows as (T & object)[],
    getRowId: (row) => id(row as T),
  });
  const sorting = table.state.sorting[0];
  const shown = table.getRowModel().rows;
  const places = useMemo(() => new Map(shown.map((row, index) => [row.id, index])), [shown]);

  const rowHeight = narrow ? 56 : compact ? 28 : 32;
  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => rowHeight,
    overscan: 12,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: measured anew when the height of a row changes
  useEffect(() => virtual.measure(), [rowHeight, virtual]);

  const items = virtual.getVirtualItems();
  const lastIndex = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && !loading && lastIndex >= shown.length - 20) onMore?.();
  }, [more, loading, lastIndex, shown.length, onMore]);

  const act = onPeek ?? onOpen;
  const latest = useRef(act);
  latest.current = act;
  const click = useCallback((id: string, row: T) => {
    setAt(id);
    latest.current?.(row);
  }, []);

  const step = (by: number) => {
    const now = places.get(open ?? at ?? '') ?? -1;
    const next = Math.min(shown.length - 1, Math.max(0, now + by));
    const row = shown[next];
    if (!row) return;
    setAt(row.id);
    virtual.scrollToIndex(next);
    if (open && onPeek) onPeek(row.original as T);
  };
  const chosen = () => shown[places.get(open ?? at ?? '') ?? -1]?.original as T | undefined;
  const run = (act: ((row: T) => void) | undefined) => () => {
    const row = chosen();
    if (row) act?.(row);
  };
  useShortcuts([
    { keys: 'j', label: 'Next row', group: label, run: () => step(1) },
    { keys: 'k', label: 'Previous row', group: label, run: () => step(-1) },
    ...(onOpen ? [{ keys: 'enter', label: 'Open', group: label, run: run(onOpen) }] : []),
    ...(onPeek ? [{ keys: 'space', label: 'Peek', group: label, run: run(onPeek) }] : []),
  ]);

  const tracks = columns.map((column) => column.width).join(' ');
  if (!loading && rows.length === 0 && empty) return <>{empty}</>;
  return (
    <div
      ref={scroll}
      className={classes.scroll}
      style={height ? { height } : { maxHeight: '100%' }}
      role="table"
      aria-label={label}
      aria-rowcount={shown.length + 1}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
      tabIndex={0}
    >
      {!narrow && (
        <div className={classes.head} role="row" style={{ gridTemplateColumns: tracks }}>
          {columns.map((column) => {
            const sorted =
              sorting?.id === column.id ? (sorting.desc ? 'descending' : 'ascending') : undefined;
            return (
              <div
                key={column.id}
                role="columnheader"
                aria-sort={sorted}
                className={classes.header}
                data-end={column.end || undefined}
              >
                {column.value ? (
                  <UnstyledButton
                    className={classes.sort}
                    onClick={() => table.getColumn(column.id)?.toggleSorting(undefined, false)}
                  >
                    {column.header}
                    {sorted === 'ascending' && <IconArrowUp size={12} aria-hidden />}
                    {sorted === 'descending' && <IconArrowDown size={12} aria-hidden />}
                  </UnstyledButton>
                ) : (
                  column.header
                )}
              </div>
            );
          })}
        </div>
      )}
      {loading && rows.length === 0 ? (
        <Shape rows={12} height={rowHeight} />
      ) : (
        <div className={classes.body} role="rowgroup" style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const row = shown[item.index];
            if (!row) return null;
            return (
              <Line
                key={row.id}
                id={row.id}
                value={row.original as T}
                columns={columns}
                narrow={narrow}
                index={item.index}
                start={item.start}
                size={item.size}
                open={open === row.id}
                at={at === row.id}
                onClick={act ? click : undefined}
              />
            );
          })}
        </div>
      )}
      {loading && rows.length > 0 && <Shape rows={2} height={rowHeight} />}
    </div>
  );
}

interface LineProps<T> {
  id: string;
  value: T;
  columns: readonly Column<T>[];
  narrow: boolean;
  index: number;
  start: number;
  size: number;
  open: boolean;
  at: boolean;
  onClick?: (id: string, row: T) => void;
}

/** One row; drawn again only when it changes, so that a key press costs two rows and not all. */
const Line = memo(function Line<T>(props: LineProps<T>) {
  const { id, value, columns, narrow, index, start, size, open, at, onClick } = props;
  const first = columns.find((column) => column.narrow === 'first');
  const second = columns.find((column) => column.narrow === 'second');
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: enter and space are shortcuts of the table
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-selected={open}
      className={classes.row}
      data-act={onClick ? true : undefined}
      data-open={open || undefined}
      data-at={at || undefined}
      style={{
        height: size,
        transform: `translateY(${start}px)`,
        gridTemplateColumns: narrow ? '1fr' : columns.map((column) => column.width).join(' '),
      }}
      onClick={() => onClick?.(id, value)}
    >
      {narrow ? (
        <div className={classes.card} role="cell">
          <div className={classes.first}>{(first?.card ?? first?.cell)?.(value)}</div>
          <div className={classes.second}>{(second?.card ?? second?.cell)?.(value)}</div>
        </div>
      ) : (
        columns.map((column) => (
          <div key={column.id} role="cell" className={classes.cell} data-end={column.end || undefined}>
            {column.cell(value)}
          </div>
        ))
      )}
    </div>
  );
}) as <T>(props: LineProps<T>) => ReactNode;

function Shape({ rows, height }: { rows: number; height: number }) {
  return (
    <div aria-hidden>
      {Array.from({ length: rows }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: all the same
        <div key={index} className={classes.shape} style={{ height }}>
          <Skeleton height={10} width={`${92 - ((index * 7) % 24)}%`} />
        </div>
      ))}
    </div>
  );
}
