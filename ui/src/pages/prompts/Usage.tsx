/** How each version does in use: calls, latency, errors and cost, from the traces; and its newest evaluation. */
import { Skeleton } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Run } from '../../api/evals';
import { runsQuery } from '../../api/evals';
import type { Label, PromptVersion } from '../../api/prompts';
import { pulseQuery } from '../../api/queries';
import { useScope } from '../../app/scope';
import { count, duration, money } from '../../parts/format';
import { Interval } from '../../parts/Interval';
import { Section } from '../../parts/Page';
import { TimeRange } from '../../parts/TimeRange';
import { MeasureCell } from '../evaluations/RunCells';
import classes from './Prompts.module.css';

/** Each version is a question of its own. */
const MOST = 20;

interface Props {
  name: string;
  versions: readonly PromptVersion[];
  labels: readonly Label[];
}

export function Usage({ name, versions, labels }: Props) {
  const { project } = useScope();
  const runs = useInfiniteQuery(runsQuery(project, '', 'done'));
  const listed = runs.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Section title="By version" note="over the range of time" aside={<TimeRange compact={false} />}>
      <div className={classes.scroll}>
        <table className={classes.table}>
          <thead>
            <tr>
              <th scope="col">Version</th>
              <th scope="col" data-end>
                Calls
              </th>
              <th scope="col">Errors</th>
              <th scope="col" data-end>
                p50
              </th>
              <th scope="col" data-end>
                p95
              </th>
              <th scope="col" data-end>
                Cost
              </th>
              <th scope="col">Newest evaluation</th>
            </tr>
          </thead>
          <tbody>
            {versions.slice(0, MOST).map((version) => (
              <Row
                key={version.number}
                name={name}
                version={version}
                labels={labels.filter((label) => label.number === version.number).map((label) => label.name)}
                run={listed.find((run) => run.prompt_digest === version.digest)}
              />
            ))}
          </tbody>
        </table>
      </div>
      {versions.length > MOST && (
        <p className={classes.words}>
          The newest {MOST} of {count(versions.length)} versions.
        </p>
      )}
    </Section>
  );
}

function Row({
  name,
  version,
  labels,
  run,
}: {
  name: string;
  version: PromptVersion;
  labels: readonly string[];
  run: Run | undefined;
}) {
  const scope = useScope();
  const q = `prompt:${name}@${version.number}`;
  const { data, error } = useQuery(pulseQuery({ ...scope, q }));
  const totals = data?.totals;
  return (
    <tr>
      <th scope="row">
        <Link to="/traces" search={{ q } as never} className={classes.link}>
          {version.number}
        </Link>{' '}
        <span className="dim">{labels.join(', ')}</span>
      </th>
      {error ? (
        <td colSpan={5} className={classes.wrong}>
          {error.message}
        </td>
      ) : !totals ? (
        <td colSpan={5}>
          <Skeleton height={10} />
        </td>
      ) : (
        <>
          <td data-end className="num">
            {count(totals.requests)}
          </td>
          <td>
            <Interval hits={totals.errors} of={totals.requests} noun="calls" terse />
          </td>
          <td data-end className="num">
            {duration(totals.p50_ms)}
          </td>
          <td data-end className="num">
            {duration(totals.p95_ms)}
          </td>
          <td data-end className="num">
            {totals.requests > 0 ? money(totals.cost) : '–'}
          </td>
        </>
      )}
      <td>
        {run ? (
          <Link to="/evaluations/$id" params={{ id: run.id }} className={classes.plain}>
            {run.name} <MeasureCell project={scope.project} run={run} metric="" named />
          </Link>
        ) : (
          <span className="dim">none</span>
        )}
      </td>
    </tr>
  );
}
