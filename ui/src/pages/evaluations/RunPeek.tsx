/** A run beside the list: what it measured, and the way to all of it. */
import { Button, Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { live, runQuery } from '../../api/evals';
import { useScope } from '../../app/scope';
import { Failure } from '../../parts/Failure';
import { Status } from '../../parts/Status';
import { Id } from '../../parts/Value';
import classes from './Evaluations.module.css';
import { Measures } from './Measures';
import { stateOf } from './quality';
import { RunFacts, RunProgress } from './RunFacts';

export function RunPeek({ id }: { id: string }) {
  const { project } = useScope();
  const { data, error, refetch } = useQuery(runQuery(project, id));
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton height={200} m="lg" />;
  return (
    <div className={classes.peek}>
      <h2>{data.run.name}</h2>
      <div className={classes.sub}>
        <Status {...stateOf(data.run)} />
        <Id value={id} short={16} />
        <Button component={Link} to="/evaluations/$id" params={{ id } as never} variant="default">
          Open the run
        </Button>
      </div>
      <RunFacts run={data.run} />
      {live(data.run) && <RunProgress run={data.run} />}
      <Measures metrics={data.metrics} />
    </div>
  );
}
