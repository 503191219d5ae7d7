/** Runs against a baseline, example by example: which is better, by how much, how sure, and where it got worse. */
import { NativeSelect, Select, Skeleton } from '@mantine/core';
import { IconArrowLeft } from '@tabler/icons-react';
import { useInfiniteQuery, useQueries } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { type Compared, compareQuery, type Run, type RunDetail, runQuery, runsQuery } from '../../api/evals';
import { useScope, useSetSearch } from '../../app/scope';
import { seriesColours } from '../../charts/colour';
import { Forest } from '../../charts/Forest';
import { Front } from '../../charts/Front';
import { Outcomes } from '../../charts/Outcomes';
import { Empty } from '../../parts/Empty';
import { Failure } from '../../parts/Failure';
import { ago, count, duration, figure, money, pValue } from '../../parts/format';
import { Page } from '../../parts/Page';
import { Status } from '../../parts/Status';
import classes from './Evaluations.module.css';
import { quality, targetOf, VERDICTS } from './quality';
import { Regressions } from './Regressions';

interface Search {
  base?: string;
  with?: string;
  scorer?: string;
  candidate?: string;
}

export function ComparePage() {
  const { project } = useScope();
  const search = useSearch({ strict: false }) as Search;
  const set = useSetSearch();
  const base = search.base ?? '';
  const others = useMemo(() => search.with?.split(',').filter(Boolean) ?? [], [search.with]);
  const ids = base ? [base, ...others] : others;
  const runs = useQueries({ queries: ids.map((id) => runQuery(project, id)) });
  const found = useQueries({
    queries: base ? others.map((id) => compareQuery(project, id, base)) : [],
  });
  const name = runs.find((one) => one.data)?.data?.run.name ?? '';
  const choices = useInfiniteQuery({ ...runsQuery(project, name, ''), enabled: name !== '' });
  const listed = choices.data?.pages.flatMap((page) => page.items) ?? [];
  const failed = [...runs, ...found].find((one) => one.error)?.error;
  const loading = [...runs, ...found].some((one) => one.isPending);
  const details = runs.flatMap((one) => (one.data ? [one.data as RunDetail] : []));
  const names = [...new Set(found.flatMap((one) => one.data?.scorers.map((scorer) => scorer.name) ?? []))];
  const scorer = names.find((each) => each === search.scorer) ?? names[0] ?? '';
  const candidate = others.find((id) => id === search.candidate) ?? others[0] ?? '';
  const shown = (id: string) => details.find((one) => one.run.id === id)?.run;
  const rows = names.flatMap((each) =>
    others.flatMap((id, index) => {
      const scored = found[index]?.data?.scorers.find((one) => one.name === each);
      const run = shown(id);
      return scored && run ? [{ id: `${id} ${each}`, run, scored }] : [];
    }),
  );
  const back = (
    <Link to="/evaluations">
      <IconArrowLeft size={14} /> Evaluations
    </Link>
  );
  return (
    <Page title="Compare runs" back={back} note={name}>
      <div className={classes.bar}>
        <RunSelect
          label="Baseline"
          runs={listed}
          known={details.map((one) => one.run)}
          value={base}
          not={others}
          onChange={(id) => set({ base: id })}
        />
        {others.map((id) => (
          <RunSelect
            key={id}
            label="Candidate"
            runs={listed}
            known={details.map((one) => one.run)}
            value={id}
            not={ids}
            onChange={(next) =>
              set({
                with:
                  others
                    .map((each) => (each === id ? (next ?? '') : each))
                    .filter(Boolean)
                    .join(',') || null,
              })
            }
          />
        ))}
        {others.length < 5 && (
          <RunSelect
            label="One more candidate"
            runs={listed}
            known={[]}
            value=""
            not={ids}
            onChange={(next) => next && set({ with: [...others, next].join(',') })}
          />
        )}
      </div>
      {failed ? (
        <Failure error={failed} />
      ) : !base || others.length === 0 ? (
        <Empty title="Choose a baseline and a candidate">
          They are compared over the examples that both have answered, pair by pair: that shows smaller
          differences than two averages beside one another.
        </Empty>
      ) : loading ? (
        <div className={classes.section}>
          <Skeleton height={280} />
        </div>
      ) : (
        <>
          <section className={classes.section}>
            {forests(rows).map(([title, group]) => (
              <Forest
                key={title}
                title={title}
                sides={['lower than the baseline', 'higher']}
                rows={group.map(({ id, run, scored }) => ({
                  id,
                  label: scored.name,
                  note:
                    others.length > 1
                      ? targetOf(run)
                      : `${said(scored.baseline)} → ${said(scored.candidate)}`,
                  estimate: scored.difference.estimate,
                  low: scored.difference.low,
                  high: scored.difference.high,
                  tone: VERDICTS[scored.verdict] ?? 'none',
                  said: <Status tone={VERDICTS[scored.verdict] ?? 'none'} word={verdict(scored)} />,
                }))}
                chosen={`${candidate} ${scorer}`}
                onChoose={(id) => {
                  const [run, ...rest] = id.split(' ');
                  set({ candidate: run ?? null, scorer: rest.join(' ') }, { replace: true });
                }}
              />
            ))}
          </section>
          <section className={classes.section}>
            <h2>Pair by pair</h2>
            <Pairs rows={rows} many={others.length > 1} />
            {found[0]?.data && (
              <p className={classes.words}>
                {count(found[0].data.examples)} examples are in both
                {found[0].data.only_baseline + found[0].data.only_candidate > 0 &&
                  `; ${count(found[0].data.only_baseline)} only in the baseline, ${count(found[0].data.only_candidate)} only in the first candidate`}
                . p is adjusted over all scorers by Holm's method.
              </p>
            )}
          </section>
          <Fronts details={details} scorer={scorer} />
          {candidate && scorer && (
            <section className={classes.section}>
              <div className={classes.picker}>
                <h2>What got worse by {scorer}</h2>
                {names.length > 1 && (
                  <NativeSelect
                    aria-label="Scorer"
                    data={names}
                    value={scorer}
                    onChange={(event) => set({ scorer: event.currentTarget.value }, { replace: true })}
                  />
                )}
              </div>
              <Regressions
                key={`${candidate} ${scorer}`}
                candidate={candidate}
                baseline={base}
                scorer={scorer}
                worst={found[others.indexOf(candidate)]?.data?.regressions[scorer] ?? []}
              />
            </section>
          )}
        </>
      )}
    </Page>
  );
}

const UNITS: Record<string, string> = { latency: 'seconds', cost: 'dollars', tokens: 'tokens' };

/** What is measured in one unit stands on one axis. */
function forests<T extends { scored: Compared }>(rows: readonly T[]): [string, T[]][] {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const unit = UNITS[row.scored.name];
    const title = unit
      ? `Difference in ${row.scored.name}, ${unit}`
      : 'Difference to the baseline, with 95 % intervals';
    groups.set(title, [...(groups.get(title) ?? []), row]);
  }
  return [...groups];
}

const said = (value: number | null) => (value === null ? '–' : figure(value));

function verdict(scored: Compared): string {
  if (scored.verdict === 'not shown' && scored.needed)
    return `not shown; ${count(scored.needed)} more examples would probably settle it`;
  return scored.verdict;
}

function RunSelect({
  label,
  runs,
  known,
  value,
  not,
  onChange,
}: {
  label: string;
  runs: readonly Run[];
  known: readonly Run[];
  value: string;
  not: readonly string[];
  onChange: (id: string | null) => void;
}) {
  const all = [...runs, ...known.filter((run) => !runs.some((each) => each.id === run.id))];
  return (
    <Select
      label={label}
      placeholder="Choose a run"
      clearable={value !== ''}
      searchable
      w={250}
      comboboxProps={{ width: 380, position: 'bottom-start' }}
      data={all
        .filter((run) => run.id === value || !not.includes(run.id))
        .map((run) => ({ value: run.id, label: `${targetOf(run)}, ${ago(run.created_ms, Date.now())}` }))}
      value={value || null}
      onChange={onChange}
    />
  );
}

function Pairs({
  rows,
  many,
}: {
  rows: readonly { id: string; run: Run; scored: Compared }[];
  many: boolean;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
    <div className={classes.tables} role="region" aria-label="Pairs" tabIndex={0}>
      <table className={`small-table ${classes.table}`}>
        <thead>
          <tr>
            <th scope="col">Scorer</th>
            {many && <th scope="col">Candidate</th>}
            <th scope="col">Better, same, worse</th>
            <th scope="col" data-end>
              Baseline
            </th>
            <th scope="col" data-end>
              Candidate
            </th>
            <th scope="col" data-end title="Adjusted over all scorers by Holm's method">
              p
            </th>
            <th scope="col" data-end title="Of the paired differences, in standard deviations">
              Effect
            </th>
            <th scope="col">Test</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ id, run, scored }) => (
            <tr key={id}>
              <th scope="row">{scored.name}</th>
              {many && (
                <td>
                  <Link to="/evaluations/$id" params={{ id: run.id } as never} className={classes.cellLink}>
                    {targetOf(run)}
                  </Link>
                </td>
              )}
              <td style={{ minWidth: 180 }}>
                <Outcomes wins={scored.wins} ties={scored.ties} losses={scored.losses} />
              </td>
              <td data-end className="num">
                {said(scored.baseline)}
              </td>
              <td data-end className="num">
                {said(scored.candidate)}
              </td>
              <td data-end className="num" title={`unadjusted ${pValue(scored.p)}`}>
                {pValue(scored.p_adjusted)}
              </td>
              <td data-end className="num">
                {said(scored.effect)}
              </td>
              <td className="dim">
                {scored.method}
                {scored.missing > 0 && ` · ${count(scored.missing)} without a score`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Fronts({ details, scorer }: { details: readonly RunDetail[]; scorer: string }) {
  const colours = seriesColours(details.map((one) => one.run.id));
  const measured = details.flatMap((one) => {
    const measure = quality(one.metrics.measures).find((each) => each.name === scorer);
    return measure?.interval && measure.interval.estimate !== null
      ? [{ ...one, y: measure.interval.estimate, interval: measure.interval, better: measure.better }]
      : [];
  });
  if (measured.length < 2) return null;
  const better = measured[0]?.better === 'lower' ? 'lower' : 'higher';
  const points = (x: (one: (typeof measured)[number]) => number | null) => ({
    points: measured.flatMap((one) => {
      const at = x(one);
      return at === null
        ? []
        : [
            {
              id: one.run.id,
              name: targetOf(one.run),
              colour: colours.get(one.run.id) ?? '--n-s1',
              x: at,
              y: one.y,
              low: one.interval.low,
              high: one.interval.high,
            },
          ];
    }),
    missing: measured.filter((one) => x(one) === null).map((one) => targetOf(one.run)),
  });
  return (
    <section className={`${classes.section} ${classes.fronts}`}>
      <Front
        title={`${scorer} and cost`}
        {...points((one) => {
          const mean = one.metrics.cost?.mean.estimate;
          return mean === null || mean === undefined ? null : mean * 1000;
        })}
        xName="dollars per thousand answers"
        xSay={money}
        yName={scorer}
        better={better}
      />
      <Front
        title={`${scorer} and latency`}
        {...points((one) => one.metrics.latency?.p95 ?? null)}
        xName="95th percentile of the latency"
        xSay={(seconds) => duration(seconds * 1000)}
        yName={scorer}
        better={better}
      />
    </section>
  );
}
