/** A score's value as it stands in tables and beside answers. */
import type { Given } from '../../api/evals';
import { figure } from '../../parts/format';
import { Status } from '../../parts/Status';
import classes from './Evaluations.module.css';

type Value = Given['scores'][number]['value'];

export function ScoreValue({ value, failed }: { value: Value; failed: string }) {
  if (failed) return <Status tone="warn" word="failed" hint={failed} />;
  if (value === null) return <span className="dim">–</span>;
  if (typeof value === 'boolean') return <Status tone={value ? 'good' : 'bad'} word={value ? 'yes' : 'no'} />;
  return <span className="num">{typeof value === 'number' ? figure(value) : value}</span>;
}

/** The score of that name over the answers to an example: the value of one, the mean of several. */
export function brief(answers: readonly Given[] | null, name: string) {
  const found = (answers ?? []).flatMap((answer) => answer.scores.filter((score) => score.name === name));
  const [first] = found;
  if (!first) return <span className="dim">–</span>;
  if (found.length === 1) return <ScoreValue value={first.value} failed={first.failed} />;
  const values = found.flatMap(({ value }) =>
    typeof value === 'number' ? [value] : typeof value === 'boolean' ? [Number(value)] : [],
  );
  if (values.length === 0) return <span className="dim">{found.length} scores</span>;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return (
    <span className={`num ${classes.cell}`} title={`mean of ${values.length}`}>
      {figure(mean)}
    </span>
  );
}
