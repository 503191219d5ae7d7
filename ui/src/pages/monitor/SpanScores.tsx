/** What the monitors made of one call, and why they made nothing of it. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type Why, whyQuery } from '../../api/monitors';
import { useScope } from '../../app/scope';
import { figure } from '../../parts/format';
import { Status } from '../../parts/Status';
import classes from './Monitor.module.css';
import { OUTCOMES } from './words';

export function SpanScores({ trace, span }: { trace: string; span: string }) {
  const { project } = useScope();
  const { data } = useQuery(whyQuery(project, trace));
  const here = data?.items.filter((one) => one.span === span) ?? [];
  if (here.length === 0) return null;
  return (
    <section className={classes.scores} aria-label="Scores by monitors">
      {here.map((one) => (
        <div key={one.monitor} className={classes.by}>
          <Link to="/monitor/$name" params={{ name: one.monitor }} className={classes.link}>
            {one.monitor}
          </Link>
          {one.scores.length === 0 ? (
            <p className={classes.words}>{one.words}</p>
          ) : (
            <ul className={classes.list}>
              {one.scores.map((score) => (
                <One key={`${score.name} ${score.version}`} score={score} />
              ))}
            </ul>
          )}
        </div>
      ))}
    </section>
  );
}

function One({ score }: { score: Why['scores'][number] }) {
  return (
    <li>
      <b>{score.name}</b>{' '}
      {score.state === 'scored' ? (
        <span className="num">{score.value === null ? score.word : figure(score.value)}</span>
      ) : (
        <Status
          tone={score.state === 'failed' ? 'bad' : 'none'}
          word={OUTCOMES[score.state] ?? score.state}
        />
      )}
      {score.reason && <span className="dim"> {score.reason}</span>}
      {score.judged_by && (
        <>
          {' '}
          <Link to="/traces/$id" params={{ id: score.judged_by }} className={classes.link}>
            the judge's call
          </Link>
        </>
      )}
    </li>
  );
}
