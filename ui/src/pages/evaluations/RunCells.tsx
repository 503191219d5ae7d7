/** What a run measured, as one cell: from the list itself, or asked for where the run did not come to its end. */
import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type Headline, live, type Run, runQuery } from '../../api/evals';
import { Estimate } from '../../parts/Estimate';
import classes from './Evaluations.module.css';
import { domain, leading } from './quality';

interface Props {
  project: string;
  run: Run;
  metric: string;
  named?: boolean;
}

export function MeasureCell(props: Props) {
  const { run, metric, named } = props;
  if (run.headlines.length > 0) return <Shown found={leading(run.headlines, metric)} named={named} />;
  if (live(run) || run.progress.answered === 0) return <span className="dim">–</span>;
  return <Asked {...props} />;
}

function Asked({ project, run, metric, named }: Props) {
  const { data, error } = useQuery(runQuery(project, run.id));
  if (error)
    return (
      <span className="dim" title={error.message}>
        –
      </span>
    );
  if (!data) return <Skeleton height={10} width={120} />;
  return <Shown found={leading(data.metrics.measures, metric)} named={named} />;
}

function Shown({ found, named }: { found: Headline | undefined; named?: boolean }) {
  if (!found) return <span className="dim">–</span>;
  const corrected = found.corrected?.interval;
  return (
    <span className={classes.measure}>
      {named && <span className={`ellipsis dim ${classes.metric}`}>{found.name}</span>}
      <Estimate
        of={corrected ?? found.interval}
        domain={domain({ ...found, interval: corrected ?? found.interval })}
      />
      {corrected && (
        <span className="dim" title="The judge's rate, corrected by its calibration: what people would say">
          corrected
        </span>
      )}
    </span>
  );
}
