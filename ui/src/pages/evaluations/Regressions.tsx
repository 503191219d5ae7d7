/** The examples that lost most, the two answers side by side. */
import { Button } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { type Comparison, type Given, judgedQuery } from '../../api/evals';
import { useScope } from '../../app/scope';
import { Failure } from '../../parts/Failure';
import { figure } from '../../parts/format';
import classes from './Evaluations.module.css';
import { asked } from './JudgedTable';
import { ScoreValue } from './score';

const FEW = 5;

interface Props {
  candidate: string;
  baseline: string;
  scorer: string;
  worst: Comparison['regressions'][string];
}

export function Regressions({ candidate, baseline, scorer, worst }: Props) {
  const { project } = useScope();
  const [all, setAll] = useState(false);
  const look = { show: 'worse' as const, scorer, baseline, tag: '' };
  const { data, error, refetch } = useInfiniteQuery({
    ...judgedQuery(project, candidate, look),
    enabled: worst.length > 0,
  });
  if (worst.length === 0) return <p className={classes.words}>No example got worse.</p>;
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  const texts = new Map(data?.pages.flatMap((page) => page.items).map((item) => [item.id, item]));
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <div className={classes.tables} role="region" aria-label="Regressions" tabIndex={0}>
        <table className={`small-table ${classes.table}`}>
          <thead>
            <tr>
              <th scope="col">Example</th>
              <th scope="col">Expected</th>
              <th scope="col">Baseline</th>
              <th scope="col">Candidate</th>
            </tr>
          </thead>
          <tbody>
            {worst.slice(0, all ? undefined : FEW).map((one) => {
              const item = texts.get(one.example);
              return (
                <tr key={one.example}>
                  <th scope="row">
                    <Link
                      to="/evaluations/$id"
                      params={{ id: candidate } as never}
                      search={
                        { tab: 'answers', show: 'worse', scorer, baseline, example: one.example } as never
                      }
                      className={classes.cellLink}
                    >
                      {item ? asked(item.input) : one.example}
                    </Link>
                  </th>
                  <td>{item ? short(item.expected) : ''}</td>
                  <td>
                    <Side answers={item?.baseline ?? null} scorer={scorer} value={one.baseline} />
                  </td>
                  <td>
                    <Side answers={item?.answers ?? null} scorer={scorer} value={one.candidate} />
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      <div className={classes.sub}>
        {worst.length > FEW && !all && (
          <Button variant="subtle" onClick={() => setAll(true)}>
            {worst.length - FEW} more
          </Button>
        )}
        <Button
          component={Link}
          to="/evaluations/$id"
          params={{ id: candidate } as never}
          search={{ tab: 'answers', show: 'worse', scorer, baseline } as never}
          variant="default"
        >
          Walk through all that got worse
        </Button>
      </div>
    </>
  );
}

const short = (value: unknown) => {
  const text =
    typeof value === 'string' ? value : value === null || value === undefined ? '–' : JSON.stringify(value);
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
};

function Side({
  answers,
  scorer,
  value,
}: {
  answers: readonly Given[] | null;
  scorer: string;
  value: number;
}) {
  const [first] = answers ?? [];
  const score = first?.scores.find((one) => one.name === scorer);
  return (
    <span className={classes.cell}>
      {score && answers?.length === 1 ? (
        <ScoreValue value={score.value} failed={score.failed} />
      ) : (
        <span className="num">{figure(value)}</span>
      )}
      {first && <span>{short(first.failed || first.text)}</span>}
    </span>
  );
}
