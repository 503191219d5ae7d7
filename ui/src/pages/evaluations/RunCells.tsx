/** Cells of the table of runs whose figures are asked for when the row is seen. */
import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type Run, runQuery } from '../../api/evals';
import { Estimate } from '../../parts/Estimate';
import { duration } from '../../parts/format';
import classes from './Evaluations.module.css';
import { domain, leading } from './quality';

interface Props {
  project: string;
  run: Run;
}

export function MeasureCell({ project, run, metric, named }: Props & { metric: string; named?: boolean }) {
  const { data, error } = useQuery(runQuery(project, run.id));
  if (error)
    return (
      <span className="dim" title={error.message}>
        –
      </span>
    );
  if (!data) return <Skeleton height={10} width={120} />;
  const found = leading(data.metrics.measures, metric);
  if (!found) return <span className="dim">–</span>;
  return (
    <span className={classes.measure}>
      {named && <span className={`ellipsis dim ${classes.metric}`}>{found.name}</span>}
      <Estimate of={found.interval} domain={domain(found)} />
    </span>
  );
}

export function Took({ project, run }: Props) {
  const { data } = useQuery(runQuery(project, run.id));
  const latency = data?.metrics.latency;
  return <span className="num">{latency ? duration(latency.p95 * 1000) : '–'}</span>;
}
