/** The version before and the one after on the test examples, pair by pair. */
import { Skeleton } from '@mantine/core';
import { useQueries, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { compareQuery, runQuery } from '../../api/evals';
import { useScope } from '../../app/scope';
import { Forest } from '../../charts/Forest';
import { Failure } from '../../parts/Failure';
import { figure, pValue } from '../../parts/format';
import { Status } from '../../parts/Status';
import { VERDICTS } from '../evaluations/quality';
import { MeasureCell } from '../evaluations/RunCells';
import classes from './Optimizations.module.css';

export function Evidence({ before, after, measure }: { before: string; after: string; measure: string }) {
  const { project } = useScope();
  const { data, error, refetch } = useQuery(compareQuery(project, after, before));
  const [first, second] = useQueries({ queries: [runQuery(project, before), runQuery(project, after)] });
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  const found = data?.scorers.find((one) => one.name === measure);
  if (!data) return <Skeleton height={120} />;
  if (!found) return <p className={classes.words}>The two runs have no {measure} in common.</p>;
  const { estimate, low, high } = found.difference;
  return (
    <>
      <Forest
        title={`${measure}, the version after against the one before, on ${found.n} examples`}
        sides={['lower', 'higher']}
        rows={[
          {
            id: measure,
            label: measure,
            note: `${said(found.baseline)} → ${said(found.candidate)}`,
            estimate,
            low,
            high,
            tone: VERDICTS[found.verdict] ?? 'none',
            said: (
              <Status
                tone={VERDICTS[found.verdict] ?? 'none'}
                word={`${found.verdict}${found.p === null ? '' : `, p ${pValue(found.p)}`}`}
              />
            ),
          },
        ]}
      />
      <dl className={classes.facts}>
        {[
          ['Before', first],
          ['After', second],
        ].map(([name, query]) => {
          const detail = (query as typeof first).data;
          return (
            <div key={name as string}>
              <dt>{name as string}</dt>
              <dd>
                {detail ? (
                  <Link to="/evaluations/$id" params={{ id: detail.run.id }} className={classes.link}>
                    <MeasureCell project={project} run={detail.run} metric={measure} />
                  </Link>
                ) : (
                  <Skeleton height={10} width={120} />
                )}
              </dd>
            </div>
          );
        })}
      </dl>
    </>
  );
}

const said = (value: number | null) => (value === null ? 'unknown' : figure(value));
