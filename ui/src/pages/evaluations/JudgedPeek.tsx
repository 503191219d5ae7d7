/** An example of a run: what was asked and expected, each answer with its scores, and the baseline's beside it. */
import { Link } from '@tanstack/react-router';
import type { Given, Judged, Run } from '../../api/evals';
import { Diff } from '../../parts/Diff';
import { duration } from '../../parts/format';
import { Id, Money } from '../../parts/Value';
import classes from './Evaluations.module.css';
import { SPENT } from './quality';
import { ScoreValue } from './score';

const said = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value, null, 2));

export function JudgedPeek({ judged, run }: { judged: Judged; run: Run }) {
  const { input, expected, answers, baseline } = judged;
  const [ours] = answers;
  const [theirs] = baseline ?? [];
  return (
    <div className={classes.peek}>
      <h2>Example {judged.id}</h2>
      <div className={classes.sub}>
        <Id value={judged.id} />
        {judged.tags.map((tag) => (
          <span key={tag} className="dim">
            #{tag}
          </span>
        ))}
        {Object.entries(judged.metadata).map(([name, value]) => (
          <span key={name} className="dim ellipsis">
            {name} {said(value)}
          </span>
        ))}
        {run.dataset_name && (
          <Link
            to="/datasets/$name"
            params={{ name: run.dataset_name } as never}
            search={{ version: String(run.dataset_number), example: judged.id } as never}
            className={classes.cellLink}
          >
            In the dataset
          </Link>
        )}
      </div>
      {Object.entries(input).map(([name, value]) => (
        <section key={name}>
          <h3>{name}</h3>
          <pre className={classes.text}>{said(value)}</pre>
        </section>
      ))}
      {expected !== null && expected !== undefined && (
        <section>
          <h3>Expected</h3>
          <pre className={classes.text}>{said(expected)}</pre>
        </section>
      )}
      <div className={baseline ? classes.sides : undefined}>
        {baseline && (
          <div>
            <h3>Baseline</h3>
            {baseline.map((answer) => (
              <Answer key={answer.repeat} answer={answer} />
            ))}
            {baseline.length === 0 && <p className={classes.words}>It has no answer to this.</p>}
          </div>
        )}
        <div>
          <h3>{baseline ? 'This run' : answers.length > 1 ? `${answers.length} answers` : 'Answer'}</h3>
          {answers.map((answer) => (
            <Answer key={answer.repeat} answer={answer} />
          ))}
        </div>
      </div>
      {ours && theirs && ours.text !== theirs.text && (
        <section>
          <h3>Difference</h3>
          <Diff before={theirs.text} after={ours.text} />
        </section>
      )}
    </div>
  );
}

function Answer({ answer }: { answer: Given }) {
  // What it took stands in the head, with its units.
  const scores = answer.scores.filter((score) => !SPENT.has(score.name));
  return (
    <article className={classes.answer} data-failed={answer.failed ? true : undefined}>
      <header>
        <span className="num">{duration(answer.latency === null ? null : answer.latency * 1000)}</span>
        <Money value={answer.cost} />
        {answer.tokens !== null && <span className="num">{answer.tokens} tokens</span>}
        {answer.reused && <span>from an earlier run</span>}
        {answer.trace && (
          <Link to="/traces/$id" params={{ id: answer.trace } as never}>
            Trace
          </Link>
        )}
      </header>
      <pre className={classes.text}>{answer.failed || answer.text || 'The answer is empty.'}</pre>
      {scores.length > 0 && (
        <div className={classes.scores}>
          {scores.map((score) => (
            <div key={score.name} className={classes.score}>
              <b>{score.name}</b>
              <ScoreValue value={score.value} failed={score.failed} />
              {(score.failed || score.reason) && <span className="dim">{score.failed || score.reason}</span>}
              {score.trace && (
                <Link to="/traces/$id" params={{ id: score.trace } as never} className={classes.cellLink}>
                  Trace of the judgement
                </Link>
              )}
            </div>
          ))}
        </div>
      )}
    </article>
  );
}
