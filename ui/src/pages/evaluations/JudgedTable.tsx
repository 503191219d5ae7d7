/** A run's answers with their scores: all, those that failed or were wrong, or those that moved against a baseline. */
import { Autocomplete, NativeSelect, SegmentedControl, Select } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState } from 'react';
import {
  type Judged,
  judgedQuery,
  type Measure,
  type Run,
  runsQuery,
  SHOWN,
  type Shown,
} from '../../api/evals';
import { useScope, useSetSearch } from '../../app/scope';
import { useShortcuts } from '../../app/shortcuts';
import { type Column, DataTable } from '../../parts/DataTable';
import { Empty } from '../../parts/Empty';
import { Failure } from '../../parts/Failure';
import { ago, count, duration } from '../../parts/format';
import { PeekPanel } from '../../parts/PeekPanel';
import { Status } from '../../parts/Status';
import { Money } from '../../parts/Value';
import classes from './Evaluations.module.css';
import { JudgedPeek } from './JudgedPeek';
import { SPENT, targetOf } from './quality';
import { brief } from './score';

const WORDS: Record<Shown, string> = {
  all: 'All',
  failed: 'Failed',
  wrong: 'Wrong',
  worse: 'Worse',
  better: 'Better',
  different: 'Different',
};
const COMPARING = new Set<Shown>(['worse', 'better', 'different']);

export function JudgedTable({ run, measures }: { run: Run; measures: readonly Measure[] }) {
  const { project } = useScope();
  const search = useSearch({ strict: false }) as {
    show?: string;
    scorer?: string;
    baseline?: string;
    tag?: string;
    example?: string;
  };
  const set = useSetSearch();
  const filter = useRef<HTMLInputElement>(null);
  useShortcuts([{ keys: '/', label: 'Filter by tag', group: 'Answers', run: () => filter.current?.focus() }]);
  const names = measures.map((measure) => measure.name);
  const scorer = search.scorer && names.includes(search.scorer) ? search.scorer : '';
  const baseline = search.baseline ?? '';
  const asked = SHOWN.find((each) => each === search.show) ?? 'all';
  const show = COMPARING.has(asked) && !baseline ? 'all' : asked;
  const look = { show, scorer, baseline, tag: search.tag ?? '' };
  const query = useInfiniteQuery(judgedQuery(project, run.id, look));
  const others = useInfiniteQuery(runsQuery(project, run.name, ''));
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const total = query.data?.pages[0]?.total;
  const shown = (scorer ? [scorer] : names.filter((name) => !SPENT.has(name)).slice(0, 3)).join('\n');
  const columns = useMemo(() => make(shown ? shown.split('\n') : [], baseline !== ''), [shown, baseline]);
  const open = rows.find((row) => row.id === search.example);
  if (query.error) return <Failure error={query.error} retry={() => void query.refetch()} />;
  return (
    <>
      <div className={classes.bar}>
        <SegmentedControl
          aria-label="Show"
          data={SHOWN.map((each) => ({
            value: each,
            label: WORDS[each],
            disabled: COMPARING.has(each) && !baseline,
          }))}
          value={show}
          onChange={(next) => set({ show: next === 'all' ? null : next, example: null })}
        />
        <NativeSelect
          aria-label="By scorer"
          data={[{ value: '', label: 'Any scorer' }, ...names]}
          value={scorer}
          onChange={(event) => set({ scorer: event.currentTarget.value || null })}
        />
        <Select
          aria-label="Against the run"
          placeholder="Against another run"
          clearable
          w={240}
          comboboxProps={{ width: 340, position: 'bottom-start' }}
          data={(others.data?.pages.flatMap((page) => page.items) ?? [])
            .filter((other) => other.id !== run.id)
            .map((other) => ({
              value: other.id,
              label: `${targetOf(other)}, ${ago(other.created_ms, Date.now())}`,
            }))}
          value={baseline || null}
          onChange={(next) => set({ baseline: next, show: COMPARING.has(show) && !next ? null : show })}
        />
        <TagFilter ref={filter} value={search.tag ?? ''} tags={tagsOf(rows)} onTag={(tag) => set({ tag })} />
        <span className={`num dim ${classes.count}`}>
          {total === undefined ? '' : `${count(total)} examples`}
        </span>
      </div>
      <DataTable
        label="Answers"
        columns={columns}
        rows={rows}
        id={(row) => row.id}
        open={search.example ?? null}
        onPeek={(row) => set({ example: row.id }, { replace: search.example !== undefined })}
        loading={query.isPending || query.isFetchingNextPage}
        more={query.hasNextPage}
        onMore={() => void query.fetchNextPage()}
        height="100%"
        empty={
          <Empty
            title={
              show === 'all' && !search.tag ? 'Nothing has been answered yet' : 'No example is like that'
            }
          >
            {show === 'failed' ? 'Every answer came, and every scorer gave a value.' : null}
          </Empty>
        }
      />
      {open && (
        <PeekPanel label={`Example ${open.id}`} onClose={() => set({ example: null })}>
          <JudgedPeek judged={open} run={run} />
        </PeekPanel>
      )}
    </>
  );
}

function TagFilter({
  ref,
  value,
  tags,
  onTag,
}: {
  ref: React.Ref<HTMLInputElement>;
  value: string;
  tags: string[];
  onTag: (tag: string | null) => void;
}) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  return (
    <Autocomplete
      ref={ref}
      aria-label="Tag"
      placeholder="Tag"
      w={130}
      data={tags}
      value={text}
      onChange={setText}
      onOptionSubmit={onTag}
      onKeyDown={(event) => {
        if (event.key === 'Enter') onTag(text.trim() || null);
        if (event.key === 'Escape') event.currentTarget.blur();
      }}
      onBlur={() => text.trim() !== value && onTag(text.trim() || null)}
    />
  );
}

const tagsOf = (rows: readonly Judged[]) => [...new Set(rows.flatMap((row) => row.tags))].sort();

const oneLine = (value: unknown) =>
  (typeof value === 'string' ? value : value === null || value === undefined ? '' : JSON.stringify(value))
    .replace(/\s+/g, ' ')
    .slice(0, 300);

/** The input's own text where it has one field, else all of it. */
export function asked(input: Record<string, unknown>): string {
  const values = Object.values(input);
  return oneLine(values.length === 1 ? values[0] : input);
}

function make(scores: readonly string[], comparing: boolean): Column<Judged>[] {
  return [
    {
      id: 'id',
      header: 'Example',
      width: 'minmax(70px, 0.6fr)',
      cell: (row) => <span className="mono">{row.id}</span>,
      value: (row) => row.id,
    },
    {
      id: 'input',
      header: 'Input',
      width: 'minmax(160px, 2fr)',
      narrow: 'first',
      cell: (row) => asked(row.input),
    },
    {
      id: 'expected',
      header: 'Expected',
      width: 'minmax(80px, 1fr)',
      cell: (row) => <span className="dim">{oneLine(row.expected)}</span>,
    },
    {
      id: 'answer',
      header: 'Answer',
      width: 'minmax(110px, 1.4fr)',
      narrow: 'second',
      cell: (row) => {
        const [first] = row.answers;
        if (!first) return <span className="dim">none</span>;
        return first.failed ? (
          <Status tone="bad" word={oneLine(first.failed)} />
        ) : (
          <span className={classes.cell}>
            {oneLine(first.text) || <span className="dim">nothing</span>}
            {row.answers.length > 1 && <span className="dim">+{row.answers.length - 1}</span>}
          </span>
        );
      },
    },
    ...scores.map(
      (name): Column<Judged> => ({
        id: `score ${name}`,
        header: name,
        width: comparing ? '120px' : '84px',
        end: true,
        cell: (row) => (
          <span className={classes.cell}>
            {comparing && <span className="dim">{brief(row.baseline, name)} →</span>}
            {brief(row.answers, name)}
          </span>
        ),
      }),
    ),
    {
      id: 'latency',
      header: 'Latency',
      width: '66px',
      end: true,
      cell: (row) => {
        const latency = row.answers[0]?.latency;
        return (
          <span className="num">
            {duration(latency === null || latency === undefined ? null : latency * 1000)}
          </span>
        );
      },
      value: (row) => row.answers[0]?.latency ?? null,
    },
    {
      id: 'cost',
      header: 'Cost',
      width: '80px',
      end: true,
      cell: (row) => <Money value={row.answers[0]?.cost ?? null} />,
      value: (row) => (row.answers[0]?.cost ? Number(row.answers[0].cost) : null),
    },
  ];
}
